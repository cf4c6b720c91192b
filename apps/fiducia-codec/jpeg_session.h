// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <setjmp.h>
#include <stdio.h>  // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include "core/bytes.h"

namespace fiducia::decoder {

#define FIDUCIA_TEXT_(x) #x
#define FIDUCIA_TEXT(x) FIDUCIA_TEXT_(x)
inline constexpr const char* jpeg_8_decoder_name =
    "libjpeg-turbo " FIDUCIA_TEXT(LIBJPEG_TURBO_VERSION);

/// One decompression by libjpeg-turbo, whose errors jump.
struct JpegSession {
  jpeg_decompress_struct info;  // first: error handlers get its address
  jpeg_error_mgr errors;
  jmp_buf leave;  // where errors go
  bool damaged;   // something was wrong that the library fixes in silence

  /// Sets the handlers, before anything that may jump.
  void handle_errors();
  /// Reads the header of `codestream`. May jump.
  void open(ByteView codestream);
};

}  // namespace fiducia::decoder
