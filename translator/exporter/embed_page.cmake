# SPDX-License-Identifier: BSD-2-Clause
# cmake -DSOURCE=DIR -DOUT=FILE -P embed_page.cmake: the page's parts as a header.
file(READ ${SOURCE}/page.html html)
file(READ ${SOURCE}/page.css style)
set(script "")
foreach(part page_draw page)
  file(READ ${SOURCE}/${part}.js text)
  string(APPEND script "${text}")
endforeach()
foreach(part html style script)
  if("${${part}}" MATCHES "[)]page\"")
    message(FATAL_ERROR "page: a text holds the end of a C++ raw string")
  endif()
endforeach()
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [=[
// Made by embed_page.cmake.
#pragma once

namespace xlat646::page_text {

inline constexpr const char* html = R"page(@html@)page";
inline constexpr const char* style = R"page(@style@)page";
inline constexpr const char* script = R"page(@script@)page";

} // namespace xlat646::page_text
]=])
