// SPDX-License-Identifier: Apache-2.0
#include <jxl/decode.h>

#include <algorithm>
#include <memory>

#include "samples.h"

namespace fiducia::decoder {
namespace {

struct Destroy {
  void operator()(JxlDecoder* decoder) const { JxlDecoderDestroy(decoder); }
};
using Handle = std::unique_ptr<JxlDecoder, Destroy>;

std::string decoder_name() {
  const std::uint32_t version = JxlDecoderVersion();
  return "libjxl " + std::to_string(version / 1'000'000) + "." +
         std::to_string(version / 1000 % 1000) + "." + std::to_string(version % 1000);
}

/// What stands in the file around the codestream (ISO/IEC 18181-2).
struct Container {
  Bytes joined;                // of several boxes
  ByteView codestream;         // the first one
  bool rebuilds_jpeg = false;  // box "jbrd": the samples are as lossy as that JPEG
  bool surplus = false;        // more than one codestream, or bytes that are no box
};

constexpr std::string_view container_signature("\0\0\0\x0CJXL ", 8);

/// Takes a box in; false where there is none, or its length is beyond the end.
bool read_box(ByteCursor& cursor, Container& out, bool& whole) {
  const auto length = cursor.be<std::uint32_t>();
  const auto type = cursor.take(4);
  if (!length || !type) return false;
  std::uint64_t body_bytes = cursor.remaining();  // 0: to the end
  if (*length == 1) {
    const auto long_length = cursor.be<std::uint64_t>();
    if (!long_length || *long_length < 16) return false;
    body_bytes = *long_length - 16;
  } else if (*length >= 8) {
    body_bytes = *length - 8U;
  } else if (*length != 0) {
    return false;
  }
  auto body = cursor.take(body_bytes);
  if (!body) return false;
  const std::string_view name = as_text(*type);
  if (name == "jbrd") out.rebuilds_jpeg = true;
  if (name != "jxlc" && name != "jxlp") return true;
  out.surplus = out.surplus || whole;
  if (whole) return true;
  if (name == "jxlc") {
    out.surplus = out.surplus || !out.joined.empty();
    out.codestream = *body;
    whole = true;
    return true;
  }
  if (body->size() < 4) return false;
  constexpr std::uint32_t last_part = 0x8000'0000;
  whole = (load_be<std::uint32_t>(body->data()) & last_part) != 0;
  append(out.joined, body->subspan(4));
  return true;
}

Container read_container(ByteView bytes) {
  Container out;
  out.codestream = bytes;
  if (!as_text(bytes).starts_with(container_signature)) return out;
  ByteCursor cursor{bytes};
  bool whole = false;
  while (cursor.remaining() > 1) {  // one byte pads the fragment
    if (read_box(cursor, out, whole)) continue;
    out.surplus = true;
    break;
  }
  if (!out.joined.empty()) out.codestream = out.joined;
  return out;
}

/// Whether bytes behind the codestream are more than padding: one byte, or zeros and FF.
bool is_surplus(ByteView behind) {
  return behind.size() > 1 && std::ranges::any_of(behind, [](std::byte b) {
           return b != std::byte{0} && b != std::byte{0xFF};
         });
}

/// Whether the header asks for more than the samples, to be shown as they are.
bool has_presentation(const JxlBasicInfo& info) {
  return info.orientation != JXL_ORIENT_IDENTITY || info.have_preview != 0 ||
         info.num_extra_channels != 0 || info.intrinsic_xsize != info.xsize ||
         info.intrinsic_ysize != info.ysize || info.relative_to_max_display != 0;
}

/// Whether the colours are other than those that decoders take where nothing is said: grey or
/// RGB with the primaries, the white point and the curve of sRGB. Viewers convert by profiles.
bool has_profile(JxlDecoder* decoder, const JxlBasicInfo& info) {
  JxlColorEncoding colours;
  if (JxlDecoderGetColorAsEncodedProfile(decoder, nullptr, JXL_COLOR_PROFILE_TARGET_ORIGINAL,
                                         &colours) != JXL_DEC_SUCCESS)
    return true;
  const bool grey = info.num_color_channels == 1;
  if (colours.color_space != (grey ? JXL_COLOR_SPACE_GRAY : JXL_COLOR_SPACE_RGB)) return true;
  if (colours.white_point != JXL_WHITE_POINT_D65) return true;
  if (!grey && colours.primaries != JXL_PRIMARIES_SRGB) return true;
  return colours.transfer_function != JXL_TRANSFER_FUNCTION_SRGB;
}

/// Whether the frame fills the image, alone, without being blended into anything.
bool is_whole_frame(JxlDecoder* decoder, const JxlBasicInfo& info) {
  JxlFrameHeader frame;
  if (JxlDecoderGetFrameHeader(decoder, &frame) != JXL_DEC_SUCCESS) return false;
  const JxlLayerInfo& layer = frame.layer_info;
  return frame.is_last != 0 && layer.have_crop == 0 && layer.xsize == info.xsize &&
         layer.ysize == info.ysize && layer.blend_info.blendmode == JXL_BLEND_REPLACE;
}

}  // namespace

Result<Outcome> decode_jpeg_xl(ByteView codestream, const Geometry& geometry,
                               std::span<std::byte> out) {
  const auto damaged = [] { return refused("the JPEG XL codestream is damaged."); };
  const Handle decoder{JxlDecoderCreate(nullptr)};
  if (!decoder) return fail(ErrorCode::over_limit, "no memory is left for JPEG XL.");
  const Container container = read_container(codestream);
  const ByteView coded = container.codestream;
  // Samples as they are coded: no rotation, no alpha arithmetic, no layers.
  if (JxlDecoderSubscribeEvents(decoder.get(), JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING |
                                                   JXL_DEC_FRAME | JXL_DEC_FULL_IMAGE) !=
          JXL_DEC_SUCCESS ||
      JxlDecoderSetKeepOrientation(decoder.get(), JXL_TRUE) != JXL_DEC_SUCCESS ||
      JxlDecoderSetCoalescing(decoder.get(), JXL_FALSE) != JXL_DEC_SUCCESS ||
      JxlDecoderSetInput(decoder.get(), reinterpret_cast<const std::uint8_t*>(coded.data()),
                         coded.size()) != JXL_DEC_SUCCESS)
    return damaged();
  JxlDecoderCloseInput(decoder.get());

  if (JxlDecoderProcessInput(decoder.get()) != JXL_DEC_BASIC_INFO) return damaged();
  JxlBasicInfo info;
  if (JxlDecoderGetBasicInfo(decoder.get(), &info) != JXL_DEC_SUCCESS) return damaged();
  if (info.xsize != geometry.columns || info.ysize != geometry.rows)
    return mismatch("rows or columns");
  const std::uint32_t channels = info.num_color_channels + (info.alpha_bits > 0 ? 1U : 0U);
  if (channels != geometry.samples_per_pixel) return mismatch("samples a pixel");
  if (info.have_animation != 0) return refused("the JPEG XL codestream holds an animation.");
  if (info.exponent_bits_per_sample != 0 || info.bits_per_sample > 16)
    return refused("JPEG XL with floating point or more than 16 bits is not supported.");
  FIDUCIA_TRY(shift, container_shift(geometry, info.bits_per_sample));
  bool odd = has_presentation(info);

  // The library scales to the full range of the type it is asked for, in floating point; 8 and
  // 16 bits come out as coded when asked for as such. What lies between is scaled back, which is
  // exact as 2^16 - 1 steps leave each of fewer steps its own.
  const bool one_byte = info.bits_per_sample <= 8;
  const std::uint32_t given_bits = one_byte ? 8 : 16;
  const JxlPixelFormat format{.num_channels = channels,
                              .data_type = one_byte ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
                              .endianness = JXL_LITTLE_ENDIAN,
                              .align = 0};
  const bool scaled = info.bits_per_sample != given_bits;
  const bool direct = given_bits / 8 == geometry.sample_bytes() && shift == 0 && !scaled;
  const std::size_t samples = std::size_t{geometry.rows} * geometry.columns * channels;
  Bytes given(direct ? 0 : samples * (given_bits / 8));
  const std::span<std::byte> target = direct ? out : std::span<std::byte>{given};
  std::size_t needed = 0;
  bool done = false;
  while (!done) {
    switch (JxlDecoderProcessInput(decoder.get())) {
      case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
        if (JxlDecoderImageOutBufferSize(decoder.get(), &format, &needed) != JXL_DEC_SUCCESS ||
            needed != target.size() ||
            JxlDecoderSetImageOutBuffer(decoder.get(), &format, target.data(), target.size()) !=
                JXL_DEC_SUCCESS)
          return damaged();
        break;
      case JXL_DEC_COLOR_ENCODING:
        odd = odd || has_profile(decoder.get(), info);
        break;
      case JXL_DEC_FRAME:
        if (!is_whole_frame(decoder.get(), info))
          return refused("the JPEG XL codestream holds layers.");
        break;
      case JXL_DEC_FULL_IMAGE:
        done = true;
        break;
      default:
        return damaged();
    }
  }
  if (JxlDecoderProcessInput(decoder.get()) != JXL_DEC_SUCCESS) return damaged();
  codec::Oddities oddities;
  if (odd) oddities.add(codec::Oddity::jpeg_xl_presentation);
  if (container.surplus || is_surplus(coded.last(JxlDecoderReleaseInput(decoder.get()))))
    oddities.add(codec::Oddity::bytes_around);
  if (!direct) {
    const std::uint32_t from_max = (1U << given_bits) - 1;
    const std::uint32_t to_max = (1U << info.bits_per_sample) - 1;
    std::vector<std::uint16_t> values(samples);
    for (std::size_t i = 0; i < samples; ++i) {
      const std::uint32_t value = one_byte ? std::to_integer<std::uint32_t>(given[i])
                                           : load_le<std::uint16_t>(given.data() + 2 * i);
      values[i] =
          static_cast<std::uint16_t>((std::uint64_t{value} * to_max + from_max / 2) / from_max);
    }
    put_frame(values.data(), shift, false, geometry, out);
  }
  // XYB streams are lossy by construction. A stream that keeps the original profile may still
  // have been quantized; then only the transfer syntax tells.
  return Outcome{.lossless = info.uses_original_profile != 0 && !container.rebuilds_jpeg,
                 .photometric_interpretation = geometry.photometric_interpretation,
                 .decoder = decoder_name(),
                 .oddities = oddities};
}

}  // namespace fiducia::decoder
