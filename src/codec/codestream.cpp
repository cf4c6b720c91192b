// SPDX-License-Identifier: Apache-2.0
#include "codec/codestream.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

namespace fiducia::codec {
namespace {

using dicom::PixelEncoding;

bool is_padding(std::byte byte) { return byte == std::byte{0x00} || byte == std::byte{0xFF}; }

/// What follows the end of a codestream: one pad byte of any value, or a run of 00 and FF.
Oddities inspect_rest(ByteView rest, ByteView start_of_image) {
  if (rest.size() <= 1 || std::ranges::all_of(rest, is_padding)) return {};
  const bool another = !std::ranges::search(rest, start_of_image).empty();
  return another ? Oddity::several_images : Oddity::bytes_around;
}

// --- RLE (PS3.5 Annex G) ----------------------------------------------------------------------

Oddities inspect_rle(ByteView frame, const Geometry& geometry) {
  Oddities out;
  constexpr std::size_t header_bytes = 64;
  constexpr std::uint32_t segments_max = 15;
  if (frame.size() < header_bytes) return out;
  const std::uint32_t segments = load_le<std::uint32_t>(frame.data());
  if (segments == 0 || segments > segments_max) return out;
  // Bits Allocated 1 is not defined in RLE; those who write it pack eight pixels into a byte.
  const bool packed = geometry.bits_allocated == 1;
  if (segments != geometry.samples_per_pixel * (packed ? 1U : geometry.bits_allocated / 8U))
    out.add(Oddity::rle_surplus);
  const auto offset = [&](std::uint32_t s) {
    return load_le<std::uint32_t>(frame.data() + 4 + std::size_t{4} * s);
  };
  if (offset(0) != header_bytes) out.add(Oddity::rle_surplus);
  for (std::uint32_t s = segments; s < segments_max; ++s)
    if (offset(s) != 0) out.add(Oddity::rle_surplus);
  const std::uint64_t pixels = std::uint64_t{geometry.rows} * geometry.columns;
  const std::uint64_t plane_bytes = packed ? (pixels + 7) / 8 : pixels;
  for (std::uint32_t s = 0; s < segments; ++s) {
    const std::size_t begin = offset(s);
    const std::size_t end = s + 1 < segments ? offset(s + 1) : frame.size();
    if (begin > end || end > frame.size()) return out;
    const std::byte* in = frame.data() + begin;
    const std::byte* const in_end = frame.data() + end;
    std::uint64_t made = 0;
    while (made < plane_bytes && in < in_end) {
      const auto n = static_cast<signed char>(*in++);
      if (n >= 0) {
        const auto count = static_cast<std::size_t>(n) + 1;
        if (count > static_cast<std::size_t>(in_end - in)) return out;  // cut: does not decode
        in += count;
        made += count;
      } else if (n == -128) {
        out.add(Oddity::rle_no_operation);
      } else {
        if (in == in_end) return out;
        ++in;
        made += static_cast<std::size_t>(1 - n);
      }
    }
    // One byte makes an odd segment even. DCMTK decodes on to the end of the segment.
    if (in_end - in > 1) out.add(Oddity::rle_surplus);
  }
  return out;
}

// --- JPEG (ITU-T T.81), JPEG-LS (T.87) --------------------------------------------------------

struct JpegFacts {
  std::optional<std::uint8_t> sof;
  unsigned precision = 0;
  std::string component_ids;
  bool has_jfif = false;
  bool has_hp_transform = false;  // APP8 "mrfx", which CharLS knows
  bool near_lossless = false;
  std::optional<std::uint8_t> adobe_transform;
  unsigned orientation = 1;  // Exif
};

/// The tag Orientation of the first directory of an Exif segment; 1 where there is none.
unsigned exif_orientation(ByteView body) {
  constexpr std::string_view signature("Exif\0\0", 6);
  if (!as_text(body).starts_with(signature)) return 1;
  const ByteView tiff = body.subspan(signature.size());
  if (tiff.size() < 8) return 1;
  const bool little = as_text(tiff).starts_with("II");
  const auto u16 = [&](std::size_t at) -> unsigned {
    if (at + 2 > tiff.size()) return 0;
    return little ? load_le<std::uint16_t>(tiff.data() + at)
                  : load_be<std::uint16_t>(tiff.data() + at);
  };
  const std::size_t directory =
      little ? load_le<std::uint32_t>(tiff.data() + 4) : load_be<std::uint32_t>(tiff.data() + 4);
  if (directory > tiff.size()) return 1;
  const unsigned count = u16(directory);
  constexpr unsigned orientation_tag = 0x0112;
  for (unsigned i = 0; i < count; ++i) {
    const std::size_t entry = directory + 2 + std::size_t{12} * i;
    if (entry + 12 > tiff.size()) break;
    if (u16(entry) == orientation_tag) return u16(entry + 8);
  }
  return 1;
}

bool is_sof(std::uint8_t marker) {
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) ||
         marker == 0xF7;
}

/// The position behind entropy-coded data: that of the FF of the next marker, or the end.
std::size_t skip_entropy_coded(ByteView bytes, std::size_t at, bool jpeg_ls) {
  while (at < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - at);
    if (found == nullptr) return bytes.size();
    at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
    if (at + 1 >= bytes.size()) return bytes.size();
    const auto next = std::to_integer<unsigned>(bytes[at + 1]);
    const bool data = jpeg_ls ? next < 0x80 : next == 0x00;
    const bool restart = next >= 0xD0 && next <= 0xD7;
    if (data || restart)
      at += 2;
    else if (next == 0xFF)
      at += 1;  // fill
    else
      return at;
  }
  return at;
}

/// Whether the lossless process was meant by the transfer syntax; absent where it names both.
std::optional<bool> names_lossless(const dicom::TransferSyntax& syntax) {
  if (syntax.encoding == PixelEncoding::jpeg_ls) return std::nullopt;
  return syntax.loss == dicom::Loss::none;
}

/// Readers that go by the codestream make one byte a sample where the header has two; DCMTK scales
/// a JPEG by the precision of its codestream.
bool is_other_container(unsigned precision, const Geometry& geometry, bool is_scaled) {
  return (precision <= 8 && geometry.bits_allocated > 8) ||
         (is_scaled && precision < geometry.bits_stored);
}

Oddities inspect_jpeg_process(const JpegFacts& facts, const dicom::TransferSyntax& syntax) {
  const std::uint8_t sof = *facts.sof;
  if (syntax.encoding == PixelEncoding::jpeg_ls) {
    Oddities out;
    if (sof != 0xF7) out.add(Oddity::jpeg_process);
    if (facts.has_hp_transform || (facts.near_lossless && syntax.loss == dicom::Loss::none))
      out.add(Oddity::jpeg_ls_samples);
    return out;
  }
  const bool lossless = sof == 0xC3 || sof == 0xC7 || sof == 0xCB || sof == 0xCF;
  // DCMTK takes its library by the transfer syntax: of 8 bits for baseline, of 8 or 12 for
  // extended. Progressive streams under these names decode the same everywhere.
  if (sof == 0xF7 || lossless != names_lossless(syntax) ||
      (syntax.encoding == PixelEncoding::jpeg_baseline && facts.precision != 8))
    return Oddity::jpeg_process;
  return {};
}

/// DCMTK goes by Photometric Interpretation, others by the codestream's own words in the order
/// JFIF, Adobe, names of components; without any, most take a DCT stream for YCbCr.
Oddities inspect_jpeg_colour(const JpegFacts& facts, const Geometry& geometry) {
  const std::string& named = geometry.photometric_interpretation;
  if (facts.component_ids.size() == 4) return Oddity::jpeg_colour;
  if (facts.component_ids.size() != 3 || *facts.sof == 0xF7) return {};
  const bool is_lossless = *facts.sof == 0xC3;
  const bool header_ycc = named.starts_with("YBR_FULL") || named.starts_with("YBR_PARTIAL");
  if (!header_ycc && named != "RGB") return Oddity::jpeg_colour;
  const bool names_rgb = facts.component_ids == "RGB";
  std::optional<bool> says_ycc;
  const auto say = [&](bool ycc) {
    const bool agrees = !says_ycc || *says_ycc == ycc;
    says_ycc = ycc;
    return agrees;
  };
  bool agree = true;
  if (facts.has_jfif) agree = say(true) && agree;
  if (facts.adobe_transform) agree = say(*facts.adobe_transform != 0) && agree;
  if (names_rgb) agree = say(false) && agree;
  // Nothing said: a lossless stream is taken as it is, a DCT stream for YCbCr.
  if (!says_ycc && !is_lossless) says_ycc = true;
  if (!agree || (says_ycc && *says_ycc != header_ycc)) return Oddity::jpeg_colour;
  return {};
}

Oddities inspect_jpeg(ByteView frame, const dicom::TransferSyntax& syntax,
                      const Geometry& geometry) {
  constexpr std::byte start_of_image[] = {std::byte{0xFF}, std::byte{0xD8}};
  Oddities out;
  if (frame.size() < 2 || !std::equal(start_of_image, start_of_image + 2, frame.begin()))
    return std::ranges::search(frame, start_of_image).empty() ? out
                                                              : Oddities{Oddity::bytes_around};
  JpegFacts facts;
  const bool jpeg_ls = syntax.encoding == PixelEncoding::jpeg_ls;
  std::size_t at = 2;
  bool ended = false;
  while (!ended) {
    while (at + 1 < frame.size() && frame[at] == std::byte{0xFF} &&
           frame[at + 1] == std::byte{0xFF})
      ++at;
    if (at + 2 > frame.size() || frame[at] != std::byte{0xFF}) break;
    const auto marker = std::to_integer<std::uint8_t>(frame[at + 1]);
    at += 2;
    if (marker == 0xD9) {
      ended = true;
      continue;
    }
    if (marker == 0xD8) {
      out.add(Oddity::several_images);
      continue;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) continue;
    if (at + 2 > frame.size()) break;
    const std::size_t length = load_be<std::uint16_t>(frame.data() + at);
    if (length < 2 || length > frame.size() - at) break;
    const ByteView body = frame.subspan(at + 2, length - 2);
    at += length;
    const std::string_view text = as_text(body);
    if (is_sof(marker)) {
      if (facts.sof) {
        out.add(Oddity::several_images);
        continue;
      }
      if (body.size() < 6) break;
      facts.sof = marker;
      facts.precision = std::to_integer<unsigned>(body[0]);
      const auto components = std::to_integer<std::size_t>(body[5]);
      for (std::size_t i = 0; i < components && 6 + 3 * i < body.size(); ++i)
        facts.component_ids.push_back(text[6 + 3 * i]);
    } else if (marker == 0xE0 && text.starts_with(std::string_view("JFIF\0", 5))) {
      facts.has_jfif = true;
    } else if (marker == 0xE1) {
      if (const unsigned turned = exif_orientation(body); turned > 1) facts.orientation = turned;
    } else if (marker == 0xE8 && text.starts_with("mrfx")) {
      facts.has_hp_transform = body.size() > 4 && body[4] != std::byte{0};
    } else if (marker == 0xEE && text.starts_with("Adobe") && body.size() >= 12) {
      facts.adobe_transform = std::to_integer<std::uint8_t>(body[11]);
    } else if (marker == 0xDA) {
      if (jpeg_ls && body.size() >= 3 && body[body.size() - 3] != std::byte{0})
        facts.near_lossless = true;
      at = skip_entropy_coded(frame, at, jpeg_ls);
    } else if (marker == 0xDC) {
      out.add(Oddity::several_images);  // a height given afterwards: few readers know it
    }
  }
  if (facts.sof) {
    out.add(inspect_jpeg_process(facts, syntax));
    out.add(inspect_jpeg_colour(facts, geometry));
    if (is_other_container(facts.precision, geometry, syntax.encoding != PixelEncoding::jpeg_ls))
      out.add(Oddity::container);
  }
  if (facts.orientation != 1) out.add(Oddity::jpeg_orientation);
  if (ended) out.add(inspect_rest(frame.subspan(at), start_of_image));
  return out;
}

// --- JPEG 2000 (ISO/IEC 15444-1), HTJ2K (15444-15) --------------------------------------------

Oddities inspect_size(ByteView body, const Geometry& geometry) {
  constexpr std::size_t fixed_bytes = 36;
  const bool is_signed = geometry.kind == SampleKind::signed_integer;
  Oddities out;
  for (std::size_t at = fixed_bytes; at + 3 <= body.size(); at += 3) {
    const auto depth = std::to_integer<unsigned>(body[at]);
    const unsigned precision = (depth & 0x7F) + 1;
    const bool coded_signed = (depth & 0x80) != 0;
    // The whole container coded without sign holds the sign in its upper bits; else readers
    // extend, or do not, as they like.
    const bool whole = precision == geometry.bits_allocated;
    if ((coded_signed != is_signed && !(is_signed && whole)) ||
        (precision < geometry.bits_stored && coded_signed != is_signed))
      out.add(Oddity::jpeg_2000_samples);
    if (is_other_container(precision, geometry, false)) out.add(Oddity::container);
  }
  return out;
}

Oddities inspect_jpeg_2000(ByteView frame, const Geometry& geometry) {
  constexpr std::byte start_of_codestream[] = {std::byte{0xFF}, std::byte{0x4F}, std::byte{0xFF},
                                               std::byte{0x51}};
  // PS3.5 A.4.4 has no boxes (ISO/IEC 15444-1 Annex I): palettes, channels and colours of their own
  // are applied by some, and some look for sign and precision at the start of the bytes.
  constexpr std::string_view signature("\0\0\0\x0CjP  ", 8);
  if (as_text(frame).starts_with(signature)) return Oddity::jp2_boxes;
  Oddities out;
  const ByteView stream = frame;
  if (stream.size() < 4 ||
      !std::equal(start_of_codestream, start_of_codestream + 4, stream.begin())) {
    if (!std::ranges::search(stream, start_of_codestream).empty()) out.add(Oddity::bytes_around);
    return out;
  }
  bool transform = false;
  bool ended = false;
  std::size_t at = 2;
  std::size_t part_begin = 0;
  std::uint64_t part_bytes = 0;
  while (!ended && at + 2 <= stream.size()) {
    const std::uint16_t marker = load_be<std::uint16_t>(stream.data() + at);
    if (marker < 0xFF00) return out;
    at += 2;
    if (marker == 0xFFD9) {
      ended = true;
      continue;
    }
    if (marker == 0xFF93) {  // SOD: the data of a tile-part
      if (part_bytes == 0) {
        // Up to the end of the codestream: no FFD9 can stand in packets.
        const ByteView rest = stream.subspan(at);
        constexpr std::byte end_of_codestream[] = {std::byte{0xFF}, std::byte{0xD9}};
        const auto end = std::ranges::search(rest, end_of_codestream);
        if (end.empty()) return out;
        at += static_cast<std::size_t>(end.begin() - rest.begin());
        continue;
      }
      const std::uint64_t used = at - part_begin;
      if (part_bytes < used || part_bytes - used > stream.size() - at) return out;
      at += static_cast<std::size_t>(part_bytes - used);
      continue;
    }
    if (at + 2 > stream.size()) return out;
    const std::size_t length = load_be<std::uint16_t>(stream.data() + at);
    if (length < 2 || length > stream.size() - at) return out;
    const ByteView body = stream.subspan(at + 2, length - 2);
    if (marker == 0xFF51) {
      out.add(inspect_size(body, geometry));
    } else if (marker == 0xFF52) {
      if (body.size() > 4 && body[4] != std::byte{0}) transform = true;
    } else if (marker == 0xFF90) {
      if (body.size() != 8) return out;
      part_begin = at - 2;
      part_bytes = load_be<std::uint32_t>(body.data() + 2);
    } else if (marker >= 0xFF70 && marker <= 0xFF79) {
      out.add(Oddity::jpeg_2000_extension);  // DCO VMS DFS ADS MCT MCC NLT MCO CBD ATK
    }
    at += length;
  }
  const std::string& named = geometry.photometric_interpretation;
  const bool names_transform = named == "YBR_RCT" || named == "YBR_ICT";
  // A transform is undone by every decoder; under RGB the header only left it unsaid.
  if (geometry.samples_per_pixel >= 3 &&
      (transform ? !names_transform && named != "RGB" : names_transform))
    out.add(Oddity::jpeg_2000_colour);
  if (ended) out.add(inspect_rest(stream.subspan(at), start_of_codestream));
  return out;
}

std::optional<std::array<std::uint8_t, 2>> jpeg_sample_form(ByteView frame) {
  std::optional<std::uint8_t> precision;
  bool jpeg_ls = false;
  for (std::size_t at = 2; at + 4 <= frame.size();) {
    if (frame[at] != std::byte{0xFF}) return std::nullopt;
    const auto marker = std::to_integer<std::uint8_t>(frame[at + 1]);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    const std::size_t length = load_be<std::uint16_t>(frame.data() + at + 2);
    if (length < 2 || length > frame.size() - at - 2) return std::nullopt;
    const ByteView body = frame.subspan(at + 4, length - 2);
    if (is_sof(marker) && !precision && !body.empty()) {
      precision = std::to_integer<std::uint8_t>(body[0]);
      jpeg_ls = marker == 0xF7;
    }
    if (marker == 0xDA) {
      if (!precision || body.size() < 3) return std::nullopt;
      const auto mode = std::to_integer<std::uint8_t>(body[body.size() - 2]);
      return std::array{*precision, jpeg_ls ? mode : std::uint8_t{0}};
    }
    at += 2 + length;
  }
  return std::nullopt;
}

std::optional<std::array<std::uint8_t, 2>> jpeg_2000_sample_form(ByteView stream) {
  constexpr std::size_t depths_at = 42;  // SOC, SIZ, its length and fixed part
  constexpr std::uint32_t start = 0xFF4FFF51;
  if (stream.size() <= depths_at || load_be<std::uint32_t>(stream.data()) != start)
    return std::nullopt;
  const std::size_t end =
      std::min(stream.size(), std::size_t{load_be<std::uint16_t>(stream.data() + 4)} + 4);
  const std::byte first = stream[depths_at];
  bool mixed = false;
  for (std::size_t at = depths_at; at < end; at += 3) mixed = mixed || stream[at] != first;
  return std::array{std::to_integer<std::uint8_t>(first), std::uint8_t{mixed}};
}

}  // namespace

std::optional<std::array<std::uint8_t, 2>> sample_form(ByteView frame, PixelEncoding encoding) {
  const bool is_2000 = encoding == PixelEncoding::jpeg_2000 || encoding == PixelEncoding::htj2k;
  return is_2000 ? jpeg_2000_sample_form(frame) : jpeg_sample_form(frame);
}

std::string_view to_sentence(Oddity oddity) {
  switch (oddity) {
    case Oddity::rle_no_operation:
      return "control bytes 80 in RLE, which some readers skip and others take for a run";
    case Oddity::rle_surplus:
      return "bytes in RLE that no run needs, which some readers decode";
    case Oddity::bytes_around:
      return "bytes before or after the encoded image";
    case Oddity::several_images:
      return "a second image in one frame";
    case Oddity::jpeg_process:
      return "another JPEG process than the transfer syntax names";
    case Oddity::jpeg_colour:
      return "a JPEG codestream whose own colours are not those of Photometric Interpretation";
    case Oddity::jpeg_orientation:
      return "a JPEG codestream that asks to be turned or mirrored";
    case Oddity::jp2_boxes:
      return "JPEG 2000 in the boxes of a file format (JP2)";
    case Oddity::jpeg_2000_samples:
      return "JPEG 2000 with another sign or precision than the header";
    case Oddity::jpeg_2000_colour:
      return "JPEG 2000 whose colour transform is not that of Photometric Interpretation";
    case Oddity::jpeg_2000_extension:
      return "JPEG 2000 with extensions that few readers know";
    case Oddity::jpeg_ls_samples:
      return "JPEG-LS with a colour transform, or with a loss that the transfer syntax denies";
    case Oddity::jpeg_xl_presentation:
      return "JPEG XL with an orientation, a crop, channels, a profile or pictures of its own";
    case Oddity::signs_not_extended:
      return "negative samples whose upper bits are zero";
    case Oddity::ybr_422_full:
      return "YBR_FULL_422 with three samples for each pixel";
    case Oddity::ybr_422_planar:
      return "YBR_FULL_422 with separate planes";
    case Oddity::offset_table:
      return "an offset table that does not fit the fragments";
    case Oddity::frames_differ:
      return "frames or samples of different precision or interleaving";
    case Oddity::rle_fragments:
      return "an RLE frame in several fragments";
    case Oddity::container:
      return "samples of fewer bits than the header makes room for";
  }
  return "an encoding that readers take differently";
}

Oddities inspect_codestream(ByteView frame, const dicom::TransferSyntax& syntax,
                            const Geometry& geometry) {
  switch (syntax.encoding) {
    case PixelEncoding::rle:
      return inspect_rle(frame, geometry);
    case PixelEncoding::jpeg_baseline:
    case PixelEncoding::jpeg_extended:
    case PixelEncoding::jpeg_lossless:
    case PixelEncoding::jpeg_other:
    case PixelEncoding::jpeg_ls:
      return inspect_jpeg(frame, syntax, geometry);
    case PixelEncoding::jpeg_2000:
    case PixelEncoding::htj2k:
      return inspect_jpeg_2000(frame, geometry);
    default:
      return {};
  }
}

}  // namespace fiducia::codec
