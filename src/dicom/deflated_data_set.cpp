// SPDX-License-Identifier: Apache-2.0
#include "dicom/deflated_data_set.h"

#include "deflate/deflate.h"

namespace fiducia::dicom {
namespace {

bool is_surplus(ByteView after, ByteView inflated) {
  constexpr std::size_t trailer_bytes = 8;
  if (after.size() >= trailer_bytes && after.size() <= trailer_bytes + 1 &&
      load_le<std::uint32_t>(after.data()) == deflate::crc_32(inflated) &&
      load_le<std::uint32_t>(&after[4]) == static_cast<std::uint32_t>(inflated.size()))
    after = after.subspan(trailer_bytes);
  return after.size() > 1 || (after.size() == 1 && after.front() != std::byte{0});
}

}  // namespace

Result<InflatedDataSet> inflate_data_set(ByteView bytes, std::uint64_t origin) {
  FIDUCIA_TRY(inflated, deflate::inflate(bytes, {.form = deflate::Form::raw,
                                                 .bytes_max = inflated_bytes_allowed(bytes.size()),
                                                 .bytes_expected = 0,
                                                 .origin = origin}));
  InflatedDataSet out{.bytes = std::move(inflated.bytes), .bytes_after = inflated.bytes_after};
  out.surplus = is_surplus(bytes.last(out.bytes_after), out.bytes);
  return out;
}

Bytes deflate_data_set(std::span<const ByteView> parts) {
  Bytes out = deflate::deflate(parts, deflate::Form::raw);
  if (out.size() % 2 != 0) out.push_back(std::byte{0});
  return out;
}

}  // namespace fiducia::dicom
