// SPDX-License-Identifier: Apache-2.0
#include "jpeg_header.h"
#include "jpeg_session.h"
#include "samples.h"

namespace fiducia::decoder {
namespace {

enum class Ending { done, failed, other_layout };

/// All that may longjmp, with no object that has a destructor. Writes rows of `row_bytes`.
Ending run(JpegSession& session, ByteView codestream, J_COLOR_SPACE from, J_COLOR_SPACE to,
           std::byte* out, std::size_t row_bytes, std::size_t rows) {
  jpeg_decompress_struct& info = session.info;
  session.handle_errors();
  if (setjmp(session.leave) != 0) {
    jpeg_destroy_decompress(&info);
    return Ending::failed;
  }
  session.open(codestream);
  // As the library has it: the accurate integer inverse DCT and interpolated chrominance, what
  // plain decompression by common tools gives.
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
                              std::span<std::byte> out) {
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
      to = JCS_RGB;
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
  JpegSession session = {};
  const Ending ending = run(session, codestream, from, to, direct ? out.data() : rows.data(),
                            row_bytes, geometry.rows);
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
                 .decoder = jpeg_8_decoder_name};
}

}  // namespace fiducia::decoder
