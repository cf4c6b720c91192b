// SPDX-License-Identifier: Apache-2.0
// What a header costs grows with its bytes, and ends where it would not.
#include <gtest/gtest.h>

#include "canonical/header.h"
#include "evidence/embed.h"

using namespace fiducia;

namespace {

Bytes implicit(std::uint16_t group, std::uint16_t element, ByteView value) {
  Bytes out;
  append_le(out, group);
  append_le(out, element);
  append_le(out, static_cast<std::uint32_t>(value.size()));
  append(out, value);
  return out;
}

Bytes item(ByteView content) { return implicit(0xFFFE, 0xE000, content); }

void repeat(Bytes& out, ByteView element, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) append(out, element);
}

/// The work that the header of a bare data set costs; absent where it is refused for that.
std::optional<std::uint64_t> header_work(Bytes data_set) {
  const auto file = dicom::File::read(std::move(data_set));
  if (!file) {
    ADD_FAILURE() << file.error().what;
    return std::nullopt;
  }
  static_cast<void>(evidence::find_embedded(file->data_set()));
  canonical::HeaderContext context;
  context.budget = &file->budget();
  const auto header = canonical::CanonicalHeader::read(file->data_set(), std::move(context));
  if (!header) {
    EXPECT_EQ(header.error().code, ErrorCode::over_limit);
    return std::nullopt;
  }
  return file->budget().spent();
}

Bytes begin() { return implicit(0x0008, 0x0016, as_bytes("1.2.840.10008.5.1.4.1.1.7 ")); }

}  // namespace

TEST(HeaderCost, of_equal_private_creators_grows_with_their_number) {
  const auto work = [](std::size_t count) {
    Bytes data_set = begin();
    repeat(data_set, implicit(0x0F1D, 0x0010, as_bytes("FIDUCIA ")), count);
    return header_work(std::move(data_set));
  };
  const auto small = work(5'000);
  const auto large = work(50'000);
  ASSERT_TRUE(small && large);
  EXPECT_LT(*large, 11 * *small);
}

TEST(HeaderCost, is_not_that_of_pixel_data) {
  Bytes data_set = begin();
  const Bytes pixels(1'000'000);
  for (const auto& [element, value] :
       {std::pair{0x0010, 1000}, std::pair{0x0011, 1000}, std::pair{0x0100, 8},
        std::pair{0x0101, 8}, std::pair{0x0102, 7}, std::pair{0x0103, 0}}) {
    Bytes number;
    append_le(number, static_cast<std::uint16_t>(value));
    append(data_set, implicit(0x0028, static_cast<std::uint16_t>(element), number));
  }
  append(data_set, implicit(0x7FE0, 0x0010, pixels));
  const auto file = dicom::File::read(std::move(data_set));
  ASSERT_TRUE(file.has_value());
  canonical::HeaderContext context;
  context.budget = &file->budget();
  context.pixel_element = file->data_set().find(dicom::tags::pixel_data);
  ASSERT_TRUE(canonical::CanonicalHeader::read(file->data_set(), std::move(context)).has_value());
  EXPECT_LT(file->budget().spent(), pixels.size());
}

TEST(HeaderCost, of_deep_paths_ends_at_the_limit) {
  const Bytes creator = implicit(0x0011, 0x0010, as_bytes(std::string(1024, 'C')));
  Bytes inner;
  for (std::uint16_t i = 1; i <= 60'000; ++i) append(inner, implicit(0x0020, i, {}));
  const auto nested = [&](unsigned depth) {
    Bytes data_set = inner;
    for (unsigned i = 0; i < depth; ++i) {
      Bytes level = creator;
      append(level, implicit(0x0011, 0x1001, item(data_set)));
      data_set = std::move(level);
    }
    Bytes whole = begin();
    append(whole, data_set);
    return whole;
  };
  EXPECT_TRUE(header_work(nested(0)));
  EXPECT_FALSE(header_work(nested(50)));
}

TEST(HeaderCost, of_values_bound_to_a_long_character_set_ends_at_the_limit) {
  const auto with_term = [](std::size_t bytes) {
    std::string term = "ISO 2022 IR 6";
    while (term.size() < bytes) term += "\\ISO 2022 IR 6";
    if (term.size() % 2 != 0) term += ' ';
    Bytes data_set = implicit(0x0008, 0x0005, as_bytes(term));
    append(data_set, begin());
    repeat(data_set, implicit(0x0010, 0x4000, as_bytes("\xE9\xE8")), 40'000);
    return data_set;
  };
  EXPECT_TRUE(header_work(with_term(60)));
  EXPECT_FALSE(header_work(with_term(400'000)));
}
