// SPDX-License-Identifier: Apache-2.0
#include "codec/frames.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "image_file.h"
#include "support/support.h"

namespace fiducia::codec {
namespace {

using test::ImageFile;

std::string hex_of(FrameReader& reader, std::uint32_t frame) {
  const auto got = reader.read(frame);
  return got ? to_hex(got->samples) : code_word(got.error());
}

Bytes deflated(ByteView bytes) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

ImageFile two_frames() {
  return {.rows = 1, .columns = 2, .frames = "2", .value = test::bytes("0102030405060708")};
}

TEST(NativeFrames, are_borrowed_when_nothing_is_to_be_converted) {
  const auto file = two_frames().file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(reader->frames_present(), 2U);
  EXPECT_FALSE(reader->is_encapsulated());
  const auto frame = reader->read(1);
  ASSERT_TRUE(frame.has_value());
  EXPECT_TRUE(frame->borrowed_from_file);
  EXPECT_TRUE(frame->carries_all_bits);
  EXPECT_GE(frame->samples.data(), file.bytes().data());
  EXPECT_LT(frame->samples.data(), file.bytes().data() + file.bytes().size());
  EXPECT_EQ(to_hex(frame->samples), "05060708");
  EXPECT_EQ(reader->excess().size(), 0U);
}

TEST(NativeFrames, of_big_endian_words_come_out_little_endian) {
  ImageFile image = two_frames();
  image.transfer_syntax = dicom::uids::explicit_vr_big_endian;
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(hex_of(*reader, 1), "06050807");
  EXPECT_FALSE(reader->read(0)->borrowed_from_file);
}

TEST(NativeFrames, of_8_bits_in_big_endian_words_are_swapped_in_pairs) {
  ImageFile image{.transfer_syntax = dicom::uids::explicit_vr_big_endian,
                  .rows = 1,
                  .columns = 3,
                  .bits_allocated = 8,
                  .bits_stored = 8,
                  .high_bit = 7,
                  .frames = "2",
                  .value = test::bytes("020104030605")};
  const auto words = image.file();
  auto reader = FrameReader::open(words, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(hex_of(*reader, 0), "010203");
  EXPECT_EQ(hex_of(*reader, 1), "040506") << "a frame that starts inside a word";
  image.vr = dicom::vr::ob;
  const auto bytes = image.file();
  auto unswapped = FrameReader::open(bytes, nullptr);
  ASSERT_TRUE(unswapped.has_value());
  EXPECT_EQ(hex_of(*unswapped, 0), "020104") << "OB has no byte order";
}

TEST(NativeFrames, in_planes_come_out_interleaved) {
  const ImageFile image{.rows = 1,
                        .columns = 2,
                        .samples = 3,
                        .bits_allocated = 8,
                        .bits_stored = 8,
                        .high_bit = 7,
                        .planar_configuration = 1,
                        .photometric = "RGB",
                        .value = test::bytes("111221223132")};
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(hex_of(*reader, 0), "112131122232");
}

TEST(NativeFrames, subsampled_422_repeat_the_chrominance_of_a_pair) {
  ImageFile image{.rows = 1,
                  .columns = 2,
                  .samples = 3,
                  .bits_allocated = 8,
                  .bits_stored = 8,
                  .high_bit = 7,
                  .photometric = "YBR_FULL_422",
                  .value = test::bytes("0102a0b0")};
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(hex_of(*reader, 0), "01a0b002a0b0");
  image.value = test::bytes("01a1b102a2b2");
  const auto full = image.file();
  auto unsubsampled = FrameReader::open(full, nullptr);
  ASSERT_TRUE(unsubsampled.has_value());
  EXPECT_EQ(hex_of(*unsubsampled, 0), "01a1b102a2b2") << "three samples a pixel are there";
}

TEST(NativeFrames, of_one_bit_need_not_start_on_a_byte) {
  const ImageFile image{.rows = 1,
                        .columns = 3,
                        .bits_allocated = 1,
                        .bits_stored = 1,
                        .high_bit = 0,
                        .frames = "3",
                        .vr = dicom::vr::ob,
                        .value = test::bytes("3501")};  // bits 1 0 1 0 1 1 0 0 | 1
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(reader->frames_present(), 3U);
  EXPECT_EQ(hex_of(*reader, 0), "010001");
  EXPECT_EQ(hex_of(*reader, 1), "000101");
  EXPECT_EQ(hex_of(*reader, 2), "000001");
  EXPECT_EQ(reader->excess().size(), 0U);
}

TEST(NativeFrames, that_are_missing_are_not_made_up) {
  ImageFile image = two_frames();
  image.value = test::bytes("010203040506");
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(reader->frames_present(), 1U);
  EXPECT_EQ(to_hex(reader->excess()), "0506");
  EXPECT_EQ(hex_of(*reader, 0), "01020304");
  EXPECT_EQ(hex_of(*reader, 1), "malformed.truncated");
}

TEST(NativeFrames, show_what_lies_after_them_but_not_the_pad_byte) {
  ImageFile image{.rows = 1,
                  .columns = 1,
                  .bits_allocated = 8,
                  .bits_stored = 8,
                  .high_bit = 7,
                  .value = test::bytes("aa00")};
  const auto padded = image.file();
  EXPECT_EQ(FrameReader::open(padded, nullptr)->excess().size(), 0U);
  image.value = test::bytes("aa00bbcc");
  const auto longer = image.file();
  EXPECT_EQ(to_hex(FrameReader::open(longer, nullptr)->excess()), "bbcc");
}

TEST(EncapsulatedFrames, of_rle_are_decoded_and_bounded) {
  const Bytes frame = test::bytes("01020304");
  ImageFile image{.transfer_syntax = "1.2.840.10008.1.2.5",
                  .rows = 1,
                  .columns = 2,
                  .fragments = {{test::encode_rle(frame, 1, 2, 1, 2)}}};
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_TRUE(reader->is_encapsulated());
  EXPECT_EQ(hex_of(*reader, 0), "01020304");
  EXPECT_EQ(reader->read(0)->decoder, "rle");
  // 64 bytes of header cannot hold 512 MiB: refused before that memory is asked for.
  image.rows = image.columns = 16384;
  const auto bomb = image.file();
  auto hungry = FrameReader::open(bomb, nullptr);
  ASSERT_TRUE(hungry.has_value());
  EXPECT_EQ(hex_of(*hungry, 0), "limit.reached");
}

TEST(EncapsulatedFrames, deflated_and_native_are_read_in_process) {
  const Bytes frame = test::bytes("0102030405060708090a0b0c");
  ImageFile image{.transfer_syntax = "1.2.840.10008.1.2.8.1",
                  .rows = 2,
                  .columns = 3,
                  .fragments = test::fragments_of(deflated(frame))};
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(hex_of(*reader, 0), to_hex(frame));
  for (const std::uint16_t columns : {std::uint16_t{2}, std::uint16_t{4}}) {
    image.columns = columns;
    const auto other = image.file();
    auto wrong = FrameReader::open(other, nullptr);
    ASSERT_TRUE(wrong.has_value());
    EXPECT_EQ(hex_of(*wrong, 0), "codec.failed") << columns;
  }
  image.columns = 3;
  image.transfer_syntax = "1.2.840.10008.1.2.1.98";
  image.fragments = test::fragments_of(frame, {4});
  const auto native = image.file();
  auto stored = FrameReader::open(native, nullptr);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(hex_of(*stored, 0), to_hex(frame));
  EXPECT_EQ(stored->read(0)->decoder, "native");
}

TEST(EncapsulatedFrames, of_other_codecs_need_the_child) {
  const ImageFile image{.transfer_syntax = "1.2.840.10008.1.2.4.80",
                        .fragments = {{test::bytes("ffd8ffd9")}}};
  const auto file = image.file();
  auto reader = FrameReader::open(file, nullptr);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(hex_of(*reader, 0), "codec.missing");
  CodecChild nowhere{"/nonexistent/fiducia-codec"};
  auto without = FrameReader::open(file, &nowhere);
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(hex_of(*without, 0), "codec.missing");
}

TEST(Frames, refuse_fragments_and_transfer_syntax_that_contradict_each_other) {
  ImageFile image{.fragments = {{test::bytes("ffd8ffd9")}}};
  auto parsed = dicom::File::read(image.bytes());
  if (parsed) {
    EXPECT_FALSE(FrameReader::open(*parsed, nullptr).has_value());
  }
  image.transfer_syntax = "1.2.840.10008.1.2.4.80";
  image.fragments.reset();
  image.value = test::bytes("0000");
  image.vr = dicom::vr::ob;
  auto native = dicom::File::read(image.bytes());
  if (native) {
    EXPECT_FALSE(FrameReader::open(*native, nullptr).has_value());
  }
}

TEST(Frames, refuse_a_file_without_pixel_data) {
  ImageFile image;
  image.left_out = {dicom::tags::pixel_data};
  const auto file = image.file();
  const auto reader = FrameReader::open(file, nullptr);
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(code_word(reader.error()), "malformed.pixel_data");
}

}  // namespace
}  // namespace fiducia::codec
