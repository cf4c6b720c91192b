// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdio.h>  // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include "jpeg_header.h"
#include "samples.h"

namespace fiducia::decoder {
namespace {

#define FIDUCIA_TEXT_(x) #x
#define FIDUCIA_TEXT(x) FIDUCIA_TEXT_(x)
constexpr const char* decoder_name = "libjpeg-turbo " FIDUCIA_TEXT(LIBJPEG_TURBO_VERSION);

struct Session {
  jpeg_decompress_struct info;  // first: error handlers get its address
  jpeg_error_mgr errors;
  jmp_buf leave;
  bool damaged;
};

[[noreturn]] void on_error(j_common_ptr info) {
  longjmp(reinterpret_cast<Session*>(info)->leave, 1);
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
      reinterpret_cast<Session*>(info)->damaged = true;
      break;
    default:
      break;  // stray bytes between segments, odd markers: pixels are not touched
  }
}

void no_output(j_common_ptr) {}

enum class Ending { done, failed, other_layout };

/// All that may longjmp, with no object that has a destructor. Writes rows of `row_bytes`.
Ending run(Session& session, ByteView codestream, J_COLOR_SPACE from, J_COLOR_SPACE to,
           bool interpolate, std::byte* out, std::size_t row_bytes, std::size_t rows) {
  jpeg_decompress_struct& info = session.info;
  info.err = jpeg_std_error(&session.errors);
  session.errors.error_exit = on_error;
  session.errors.emit_message = on_message;
  session.errors.output_message = no_output;
  if (setjmp(session.leave) != 0) {
    jpeg_destroy_decompress(&info);
    return Ending::failed;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(codestream.data()),
               static_cast<unsigned long>(codestream.size()));
  jpeg_read_header(&info, TRUE);
  // The accurate integer IDCT, what plain decompression by common tools gives.
  info.do_fancy_upsampling = interpolate ? TRUE : FALSE;
  info.jpeg_color_space = from;
  info.out_color_space = to;
  jpeg_start_decompress(&info);
  if (std::size_t{info.output_width} * static_cast<unsigned>(info.output_components) != row_bytes ||
      info.output_height != rows) {
    jpeg_destroy_decompress(&info);
    return Ending::other_layout;
  }
  while (info.output_scanline < info.output_height) {
    auto* row = reinterpret_cast<JSAMPROW>(out + info.output_scanline * row_bytes);
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return Ending::done;
}

}  // namespace

Result<Outcome> decode_jpeg_8(ByteView codestream, const Geometry& geometry,
                              std::span<std::byte> out, Rendition rendition) {
  const bool interpolate =
      rendition == Rendition::rgb_interpolated || rendition == Rendition::ycbcr_interpolated;
  const bool keep_ycbcr =
      rendition == Rendition::ycbcr_interpolated || rendition == Rendition::ycbcr_replicated;
  FIDUCIA_TRY(header, read_jpeg_header(codestream));
  FIDUCIA_CHECK(check_jpeg_header(header, geometry));
  if (header.precision != 8) return mismatch("bits a sample");
  FIDUCIA_TRY(shift, container_shift(geometry, 8));

  const bool ycbcr = is_ycbcr(header, geometry);
  J_COLOR_SPACE from = JCS_UNKNOWN;
  J_COLOR_SPACE to = JCS_UNKNOWN;
  switch (header.components) {
    case 1:
      from = to = JCS_GRAYSCALE;
      break;
    case 3:
      from = ycbcr ? JCS_YCbCr : JCS_RGB;
      to = ycbcr && keep_ycbcr ? JCS_YCbCr : JCS_RGB;
      break;
    case 4:
      from = header.adobe_transform == 2 ? JCS_YCCK : JCS_CMYK;
      to = JCS_CMYK;
      break;
    default:
      return mismatch("samples a pixel");
  }
  const std::size_t row_bytes = std::size_t{geometry.columns} * geometry.samples_per_pixel;
  const bool direct = geometry.sample_bytes() == 1 && shift == 0;
  Bytes rows(direct ? 0 : row_bytes * geometry.rows);
  Session session = {};
  const Ending ending = run(session, codestream, from, to, interpolate,
                            direct ? out.data() : rows.data(), row_bytes, geometry.rows);
  if (ending == Ending::other_layout) return mismatch("rows or columns");
  if (ending == Ending::failed || session.damaged)
    return refused("the JPEG codestream is damaged.");
  if (!direct)
    put_frame(reinterpret_cast<const std::uint8_t*>(rows.data()), shift, false, geometry, out);
  // YBR_* with an RGB codestream inside is RGB all the same.
  const bool rgb =
      header.components == 3 && (ycbcr || geometry.photometric_interpretation.starts_with("YBR_"));
  return Outcome{.lossless = false,
                 .photometric_interpretation = rgb ? "RGB" : geometry.photometric_interpretation,
                 .decoder = decoder_name};
}

}  // namespace fiducia::decoder
