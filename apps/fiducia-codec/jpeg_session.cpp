// SPDX-License-Identifier: Apache-2.0
#include "jpeg_session.h"

namespace fiducia::decoder {
namespace {

[[noreturn]] void on_error(j_common_ptr info) {
  longjmp(reinterpret_cast<JpegSession*>(info)->leave, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace message
  ++info->err->num_warnings;
  switch (info->err->msg_code) {
    // The library would go on with grey. A seal over grey would be worthless.
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_NOT_SEQUENTIAL:
      reinterpret_cast<JpegSession*>(info)->damaged = true;
      break;
    default:
      break;  // stray bytes between segments, odd markers: pixels are not touched
  }
}

void no_output(j_common_ptr) {}

}  // namespace

void JpegSession::handle_errors() {
  info.err = jpeg_std_error(&errors);
  errors.error_exit = on_error;
  errors.emit_message = on_message;
  errors.output_message = no_output;
}

void JpegSession::open(ByteView codestream) {
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(codestream.data()),
               static_cast<unsigned long>(codestream.size()));
  jpeg_read_header(&info, TRUE);
}

}  // namespace fiducia::decoder
