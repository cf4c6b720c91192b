// SPDX-License-Identifier: Apache-2.0
#include "codec/rle.h"

#include <array>

namespace fiducia::codec {
namespace {

constexpr std::size_t header_bytes = 64;
constexpr std::size_t segments_max = 15;

std::unexpected<Error> refused(const std::string& what) {
  return fail(ErrorCode::codec_failed, "the RLE frame cannot be decoded: " + what,
              "Fetch the file again from its source.");
}

/// PackBits (PS3.5 G.3.2). True when `plane` was filled exactly.
bool unpack(ByteView segment, std::span<std::byte> plane, Oddities& oddities) {
  const std::byte* in = segment.data();
  const std::byte* const in_end = in + segment.size();
  std::byte* out = plane.data();
  std::byte* const out_end = out + plane.size();
  while (out != out_end) {
    if (in == in_end) return false;
    const auto n = static_cast<signed char>(*in++);
    if (n >= 0) {
      const std::size_t count = static_cast<std::size_t>(n) + 1;
      if (count > static_cast<std::size_t>(in_end - in)) return false;
      if (count > static_cast<std::size_t>(out_end - out)) return false;
      std::memcpy(out, in, count);
      in += count;
      out += count;
    } else if (n == -128) {
      oddities.add(Oddity::rle_no_operation);
    } else {
      const std::size_t count = static_cast<std::size_t>(1 - n);
      if (in == in_end || count > static_cast<std::size_t>(out_end - out)) return false;
      std::memset(out, static_cast<int>(*in++), count);
      out += count;
    }
  }
  // One byte makes an odd segment even. DCMTK decodes on to the end of the segment.
  if (in_end - in > 1) oddities.add(Oddity::rle_surplus);
  return true;
}

/// The planes of one sample, most significant first, to that sample of each pixel.
template <std::size_t N, std::size_t M>
void merge_planes(const std::byte* planes, std::size_t pixels, std::size_t stride_bytes,
                  std::byte* out) {
  std::array<const std::byte*, N> plane;
  for (std::size_t b = 0; b < N; ++b) plane[b] = planes + (N - 1 - b) * pixels;
  for (std::size_t i = 0; i < pixels; ++i) {
    std::array<std::byte, M> sample{};
    for (std::size_t b = 0; b < N; ++b) sample[b] = plane[b][i];
    std::memcpy(out + i * stride_bytes, sample.data(), M);
  }
}

}  // namespace

Result<Oddities> decode_rle(ByteView encoded, const Geometry& geometry, std::span<std::byte> out,
                            Bytes& scratch) {
  FIDUCIA_ASSERT(out.size() == geometry.frame_bytes());
  if (geometry.bits_allocated % 8 != 0) {
    auto failed = fail(ErrorCode::unsupported, "RLE with Bits Allocated 1 is not defined.",
                       "Convert the image to a native transfer syntax.");
    failed.error().kind = "bits_allocated";
    return failed;
  }
  if (encoded.size() < header_bytes) return refused("it is shorter than its header.");
  const std::size_t bytes_per_sample = geometry.bits_allocated / 8U;
  const std::size_t segments = geometry.samples_per_pixel * bytes_per_sample;
  const std::size_t pixels = std::size_t{geometry.rows} * geometry.columns;
  const std::uint32_t declared = load_le<std::uint32_t>(encoded.data());
  if (segments > segments_max) return refused("its samples need more than 15 segments.");
  if (declared != segments)
    return refused(std::to_string(segments) + " segments were expected, " +
                   std::to_string(declared) + " are declared.");
  Oddities oddities;
  std::array<std::size_t, segments_max + 1> offsets{};
  for (std::size_t s = 0; s < segments_max; ++s) {
    const std::size_t offset = load_le<std::uint32_t>(encoded.data() + 4 + 4 * s);
    if (s >= segments) {
      if (offset != 0) oddities.add(Oddity::rle_surplus);
      continue;
    }
    offsets[s] = offset;
    if (offsets[s] < (s == 0 ? header_bytes : offsets[s - 1]) || offsets[s] > encoded.size())
      return refused("the offset of a segment lies outside the frame or before its neighbour.");
  }
  offsets[segments] = encoded.size();
  if (offsets[0] != header_bytes) oddities.add(Oddity::rle_surplus);

  const bool in_place = segments == 1;
  if (!in_place) scratch.resize(segments * pixels);
  std::byte* const planes = in_place ? out.data() : scratch.data();
  for (std::size_t s = 0; s < segments; ++s)
    if (!unpack(encoded.subspan(offsets[s], offsets[s + 1] - offsets[s]),
                {planes + s * pixels, pixels}, oddities))
      return refused("a segment holds fewer or more bytes than rows x columns.");
  if (in_place) return oddities;

  const std::size_t stride = std::size_t{geometry.samples_per_pixel} * geometry.sample_bytes();
  for (std::size_t s = 0; s < geometry.samples_per_pixel; ++s) {
    const std::byte* from = planes + s * bytes_per_sample * pixels;
    std::byte* to = out.data() + s * geometry.sample_bytes();
    switch (bytes_per_sample) {
      case 1:
        merge_planes<1, 1>(from, pixels, stride, to);
        break;
      case 2:
        // The common one, grey 16 bits, with a stride the compiler knows.
        if (stride == 2)
          merge_planes<2, 2>(from, pixels, 2, to);
        else
          merge_planes<2, 2>(from, pixels, stride, to);
        break;
      case 3:
        merge_planes<3, 4>(from, pixels, stride, to);
        break;
      case 4:
        merge_planes<4, 4>(from, pixels, stride, to);
        break;
      default:
        merge_planes<8, 8>(from, pixels, stride, to);
        break;
    }
  }
  return oddities;
}

}  // namespace fiducia::codec
