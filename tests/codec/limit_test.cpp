// SPDX-License-Identifier: Apache-2.0
// Limits of frames, at each and one past it.
#include <gtest/gtest.h>

#include "codec/child.h"
#include "image_file.h"

namespace fiducia::codec {
namespace {

using test::ImageFile;

constexpr std::string_view jpeg_ls_uid = "1.2.840.10008.1.2.4.80";
constexpr std::string_view rle_uid = "1.2.840.10008.1.2.5";

std::string geometry_code(const ImageFile& image) {
  const auto file = image.file();
  const auto geometry = read_geometry(file.data_set());
  return geometry ? "" : code_word(geometry.error());
}

/// One frame of 8 bits in one fragment of `encoded_bytes` zeros.
ImageFile compressed(std::string_view transfer_syntax, std::uint32_t rows, std::uint32_t columns,
                     std::size_t encoded_bytes) {
  return {.transfer_syntax = transfer_syntax,
          .rows = narrow<std::uint16_t>(rows),
          .columns = narrow<std::uint16_t>(columns),
          .bits_allocated = 8,
          .bits_stored = 8,
          .high_bit = 7,
          .vr = dicom::vr::ob,
          .fragments = {{Bytes(encoded_bytes)}}};
}
/// How reading the frame ends without a decoder: what gets past the limits ends at the codec.
std::string reading_code(const ImageFile& image) {
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  if (!reader) return code_word(reader.error());
  const auto frame = reader->read(0);
  return frame ? "" : code_word(frame.error());
}

TEST(FrameLimit, lets_so_many_frames_through) {
  ImageFile image{.value = Bytes(2)};
  image.frames = std::to_string(limits::frames_max);
  EXPECT_EQ(geometry_code(image), "");
  image.frames = std::to_string(limits::frames_max + 1);
  EXPECT_EQ(geometry_code(image), "limit.reached");
}

TEST(FrameLimit, lets_frames_of_so_many_bytes_through) {
  static_assert(limits::frame_bytes_max == std::uint64_t{32'768} * 32'768);
  ImageFile image = compressed(rle_uid, 32'768, 32'768, 2);
  EXPECT_EQ(geometry_code(image), "");
  image.columns = 32'769;
  EXPECT_EQ(geometry_code(image), "limit.reached");
}

TEST(FrameLimit, lets_a_decoder_be_asked_for_so_many_samples_of_any_file) {
  static_assert(limits::frame_samples_free == std::uint64_t{4'096} * 6'144);
  EXPECT_EQ(reading_code(compressed(jpeg_ls_uid, 4'096, 6'144, 2)), "codec.missing");
  EXPECT_EQ(reading_code(compressed(jpeg_ls_uid, 4'096, 6'145, 2)), "limit.reached");
}

TEST(FrameLimit, lets_frames_that_are_decoded_here_have_so_many_bytes_of_any_file) {
  static_assert(limits::frame_bytes_free == std::uint64_t{8'192} * 8'192);
  EXPECT_NE(reading_code(compressed(rle_uid, 8'192, 8'192, 2'000'000)), "limit.reached");
  EXPECT_EQ(reading_code(compressed(rle_uid, 8'192, 8'193, 2)), "limit.reached");
}

TEST(FrameLimit, grows_with_the_bytes_of_the_file) {
  ImageFile image = compressed(jpeg_ls_uid, 512, 1, 220'000);
  std::uint64_t file_bytes = image.bytes().size();
  image.fragments->front().resize(image.fragments->front().size() + (4 - file_bytes % 4) % 4);
  file_bytes = image.bytes().size();
  ASSERT_EQ(file_bytes % 4, 0U);
  const std::uint64_t columns = limits::frame_samples_a_byte * file_bytes / 512;
  ASSERT_GT(512 * columns, limits::frame_samples_free);
  image.columns = narrow<std::uint16_t>(columns);
  EXPECT_EQ(reading_code(image), "codec.missing");
  image.columns = narrow<std::uint16_t>(columns + 1);
  EXPECT_EQ(reading_code(image), "limit.reached");
}

TEST(FrameLimit, ends_when_frames_took_the_decoder_too_long_in_vain) {
  // A program that reads the request, prints it to nowhere, and waits.
  CodecChild child{"/bin/cat", limits::decode_failing_ms_max + 1};
  ImageFile image = compressed(jpeg_ls_uid, 1, 1, 2);
  image.frames = "2";
  image.fragments->push_back(Bytes(2));
  const auto file = image.file();
  auto reader = FrameReader::open(file, &child);
  ASSERT_TRUE(reader.has_value()) << to_sentence(reader.error());
  const auto first = reader->read(0);
  ASSERT_FALSE(first.has_value());
  EXPECT_TRUE(first.error().what.contains("longer than 1001 ms")) << first.error().what;
  const auto second = reader->read(1);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::codec_failed);
  EXPECT_TRUE(second.error().what.contains("in vain")) << second.error().what;
}

}  // namespace
}  // namespace fiducia::codec
