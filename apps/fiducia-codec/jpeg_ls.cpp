// SPDX-License-Identifier: Apache-2.0
#include <charls/charls.h>

#include <memory>

#include "samples.h"

namespace fiducia::decoder {
namespace {

struct Destroy {
  void operator()(charls_jpegls_decoder* decoder) const { charls_jpegls_decoder_destroy(decoder); }
};
using Handle = std::unique_ptr<charls_jpegls_decoder, Destroy>;

}  // namespace

Result<Outcome> decode_jpeg_ls(ByteView codestream, const Geometry& geometry,
                               std::span<std::byte> out) {
  const auto damaged = [] { return refused("the JPEG-LS codestream is damaged."); };
  const auto failed = [](charls::jpegls_errc error) {
    return error != charls::jpegls_errc::success;
  };
  // CharLS 2.4 can search for ever in a stream that was cut; whole ones end with EOI (padding is
  // off by now).
  if (!as_text(codestream).ends_with("\xFF\xD9")) return damaged();
  const Handle decoder{charls_jpegls_decoder_create()};
  if (!decoder) return fail(ErrorCode::over_limit, "no memory is left for JPEG-LS.");
  charls_frame_info info = {};
  charls::interleave_mode interleave = {};
  charls::color_transformation transformation = {};
  std::int32_t near = 0;
  if (failed(charls_jpegls_decoder_set_source_buffer(decoder.get(), codestream.data(),
                                                     codestream.size())) ||
      failed(charls_jpegls_decoder_read_header(decoder.get())) ||
      failed(charls_jpegls_decoder_get_frame_info(decoder.get(), &info)) ||
      failed(charls_jpegls_decoder_get_interleave_mode(decoder.get(), &interleave)) ||
      failed(charls_jpegls_decoder_get_near_lossless(decoder.get(), 0, &near)) ||
      failed(charls_jpegls_decoder_get_color_transformation(decoder.get(), &transformation)))
    return damaged();
  if (info.width != geometry.columns || info.height != geometry.rows)
    return mismatch("rows or columns");
  if (info.component_count != geometry.samples_per_pixel) return mismatch("samples a pixel");
  FIDUCIA_TRY(shift, container_shift(geometry, static_cast<unsigned>(info.bits_per_sample)));

  const std::size_t samples =
      std::size_t{geometry.rows} * geometry.columns * geometry.samples_per_pixel;
  const std::size_t given_bytes = info.bits_per_sample <= 8 ? 1 : 2;
  // Interleave mode "none" comes back one component after the other.
  const bool planar = interleave == charls::interleave_mode::none && geometry.samples_per_pixel > 1;
  const bool direct = !planar && shift == 0 && given_bytes == geometry.sample_bytes();
  Bytes given(direct ? 0 : samples * given_bytes);
  const std::span<std::byte> target = direct ? out : std::span<std::byte>{given};
  std::size_t needed = 0;
  if (failed(charls_jpegls_decoder_get_destination_size(decoder.get(), 0, &needed)) ||
      needed != target.size())
    return damaged();
  if (failed(
          charls_jpegls_decoder_decode_to_buffer(decoder.get(), target.data(), target.size(), 0)))
    return damaged();
  if (!direct) {
    if (given_bytes == 1)
      put_frame(reinterpret_cast<const std::uint8_t*>(given.data()), shift, planar, geometry, out);
    else
      put_frame(reinterpret_cast<const std::uint16_t*>(given.data()), shift, planar, geometry, out);
  }
  // Hewlett-Packard's colour transforms, where used, are undone by the library.
  return Outcome{.lossless = near == 0,
                 .photometric_interpretation = geometry.photometric_interpretation,
                 .decoder = std::string("CharLS ") + charls_get_version_string()};
}

}  // namespace fiducia::decoder
