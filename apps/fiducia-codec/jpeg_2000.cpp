// SPDX-License-Identifier: Apache-2.0
#include <openjpeg.h>

#include <algorithm>
#include <memory>

#include "jpeg_2000_header.h"
#include "samples.h"

namespace fiducia::decoder {
namespace {

template <auto Free>
struct Freed {
  void operator()(auto* handle) const { Free(handle); }
};
using Codec = std::unique_ptr<opj_codec_t, Freed<opj_destroy_codec>>;
using Image = std::unique_ptr<opj_image_t, Freed<opj_image_destroy>>;
using Stream = std::unique_ptr<opj_stream_t, Freed<opj_stream_destroy>>;

/// Where the library reads: never past the end, never before the start.
struct Source {
  ByteView bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T read_source(void* buffer, OPJ_SIZE_T wanted, void* user) {
  Source& source = *static_cast<Source*>(user);
  const std::size_t count = std::min<std::size_t>(wanted, source.bytes.size() - source.at);
  if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(buffer, source.bytes.data() + source.at, count);
  source.at += count;
  return count;
}

OPJ_OFF_T skip_source(OPJ_OFF_T wanted, void* user) {
  Source& source = *static_cast<Source*>(user);
  if (wanted < 0) return -1;
  const std::size_t left = source.bytes.size() - source.at;
  const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(wanted), left);
  if (count == 0 && wanted != 0) return -1;
  source.at += count;
  return static_cast<OPJ_OFF_T>(count);
}

OPJ_BOOL seek_source(OPJ_OFF_T to, void* user) {
  Source& source = *static_cast<Source*>(user);
  if (to < 0 || static_cast<std::size_t>(to) > source.bytes.size()) return OPJ_FALSE;
  source.at = static_cast<std::size_t>(to);
  return OPJ_TRUE;
}

void no_message(const char*, void*) {}

}  // namespace

Result<Outcome> decode_jpeg_2000(ByteView bytes, const Geometry& geometry,
                                 std::span<std::byte> out) {
  FIDUCIA_TRY(codestream, find_codestream(bytes));
  FIDUCIA_TRY(header, read_jpeg_2000_header(codestream));
  FIDUCIA_CHECK(check_jpeg_2000_header(header, geometry));
  FIDUCIA_TRY(shift, container_shift(geometry, header.precision));
  // The library computes in 32 bits.
  if (header.precision > 31) return refused("more than 31 bits a sample are not supported.");

  const auto damaged = [] { return refused("the JPEG 2000 codestream is damaged."); };
  Source source{.bytes = codestream, .at = 0};
  const Codec codec{opj_create_decompress(OPJ_CODEC_J2K)};
  const Stream stream{
      opj_stream_create(std::clamp<std::size_t>(codestream.size(), 1024, 1 << 20), OPJ_TRUE)};
  if (!codec || !stream) return fail(ErrorCode::over_limit, "no memory is left for JPEG 2000.");
  opj_set_info_handler(codec.get(), no_message, nullptr);
  opj_set_warning_handler(codec.get(), no_message, nullptr);
  opj_set_error_handler(codec.get(), no_message, nullptr);
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), codestream.size());
  opj_stream_set_read_function(stream.get(), read_source);
  opj_stream_set_skip_function(stream.get(), skip_source);
  opj_stream_set_seek_function(stream.get(), seek_source);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* raw_image = nullptr;
  // Strict: a stream that was cut is refused, not shown in part.
  if (opj_setup_decoder(codec.get(), &parameters) == OPJ_FALSE ||
      opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) == OPJ_FALSE)
    return damaged();
  const bool have_header = opj_read_header(stream.get(), codec.get(), &raw_image) != OPJ_FALSE;
  const Image image{raw_image};
  if (!have_header || !image) return damaged();
  // The library's reading of the header, before it sets memory aside, must be ours.
  if (image->x1 - image->x0 != geometry.columns || image->y1 - image->y0 != geometry.rows ||
      image->numcomps != geometry.samples_per_pixel)
    return mismatch("rows or columns");
  if (opj_decode(codec.get(), stream.get(), image.get()) == OPJ_FALSE ||
      opj_end_decompress(codec.get(), stream.get()) == OPJ_FALSE)
    return damaged();

  const std::size_t pixels = std::size_t{geometry.rows} * geometry.columns;
  for (unsigned c = 0; c < geometry.samples_per_pixel; ++c) {
    const opj_image_comp_t& component = image->comps[c];
    if (component.w != geometry.columns || component.h != geometry.rows ||
        component.data == nullptr)
      return damaged();
    put_samples(component.data, pixels, shift, geometry, c, geometry.samples_per_pixel, out);
  }
  return Outcome{.lossless = header.reversible,
                 .photometric_interpretation = decoded_photometric(header, geometry),
                 .decoder = std::string("OpenJPEG ") + opj_version()};
}

}  // namespace fiducia::decoder
