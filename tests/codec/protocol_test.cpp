// SPDX-License-Identifier: Apache-2.0
#include "codec/protocol.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::codec::protocol {
namespace {

Geometry geometry() {
  Geometry g;
  g.rows = 4;
  g.columns = 6;
  g.bits_allocated = 16;
  g.bits_stored = 12;
  g.high_bit = 11;
  g.photometric_interpretation = "MONOCHROME2";
  return g;
}

Response good() {
  return Response{.answer = Answer::decoded,
                  .output_bytes = 48,
                  .lossless = true,
                  .oddities = Oddity::jpeg_xl_presentation,
                  .photometric_interpretation = "MONOCHROME2",
                  .decoder = "CharLS 2.4.1",
                  .sentence = {}};
}

TEST(CodecProtocol, carries_a_request) {
  const Request request{
      .encoding = dicom::PixelEncoding::jpeg_ls, .geometry = geometry(), .input_bytes = 77};
  const auto got = read_request(write_request(request));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->encoding, request.encoding);
  EXPECT_EQ(got->geometry, request.geometry);
  EXPECT_EQ(got->input_bytes, 77U);
  EXPECT_EQ(got->turn, Turn::alone);
}

TEST(CodecProtocol, asks_for_another_rendition_only_in_the_next_turn) {
  Request request{
      .encoding = dicom::PixelEncoding::jpeg_baseline, .geometry = geometry(), .input_bytes = 77};
  for (const Turn turn : {Turn::alone, Turn::first, Turn::next})
    for (std::uint8_t n = 0; n <= rendition_count; ++n) {
      request.turn = turn;
      request.rendition = Rendition{n};
      const auto got = read_request(write_request(request));
      ASSERT_EQ(got.has_value(), n < rendition_count && (n != 0) == (turn == Turn::next)) << int{n};
      if (!got) continue;
      EXPECT_EQ(got->turn, turn);
      EXPECT_EQ(got->rendition, Rendition{n});
    }
  Bytes message = write_request(request);
  message[message.size() - 2] = std::byte{3};  // no turn
  message.back() = std::byte{1};
  EXPECT_FALSE(read_request(message).has_value());
}

TEST(CodecProtocol, refuses_a_request_that_is_cut_longer_or_impossible) {
  Request request{
      .encoding = dicom::PixelEncoding::jpeg_ls, .geometry = geometry(), .input_bytes = 77};
  Bytes message = write_request(request);
  for (std::size_t n = 0; n < message.size(); ++n)
    EXPECT_FALSE(read_request(ByteView{message}.first(n)).has_value()) << n;
  message.push_back(std::byte{0});
  EXPECT_FALSE(read_request(message).has_value());
  request.input_bytes = limits::encoded_frame_bytes_max + 1;
  EXPECT_FALSE(read_request(write_request(request)).has_value());
  request.input_bytes = 1;
  request.geometry.rows = request.geometry.columns = 65535;
  EXPECT_FALSE(read_request(write_request(request)).has_value());
  request.geometry = geometry();
  request.geometry.high_bit = 10;
  EXPECT_FALSE(read_request(write_request(request)).has_value());
}

TEST(CodecProtocol, believes_only_a_plausible_response) {
  ASSERT_TRUE(read_response(write_response(good()), geometry()).has_value());
  Response rgb = good();
  rgb.photometric_interpretation = "RGB";
  EXPECT_TRUE(read_response(write_response(rgb), geometry()).has_value());

  const auto refused = [](const Response& response) {
    const auto got = read_response(write_response(response), geometry());
    return !got && got.error().code == ErrorCode::codec_failed;
  };
  Response r = good();
  r.output_bytes = 47;
  EXPECT_TRUE(refused(r)) << "another size";
  r = good();
  r.photometric_interpretation = "MONOCHROME1";
  EXPECT_TRUE(refused(r)) << "inverted grey";
  r = good();
  r.decoder = "evil\x1b[2J";
  EXPECT_TRUE(refused(r)) << "terminal escapes";
  r = good();
  r.decoder.clear();
  EXPECT_TRUE(refused(r)) << "no decoder";
  Bytes message = write_response(good());
  for (std::size_t n = 0; n < message.size(); ++n)
    EXPECT_FALSE(read_response(ByteView{message}.first(n), geometry()).has_value()) << n;
  message.push_back(std::byte{0});
  EXPECT_FALSE(read_response(message, geometry()).has_value());
  message.pop_back();
  message[4] = std::byte{4};
  EXPECT_FALSE(read_response(message, geometry()).has_value()) << "unknown answer";
}

TEST(CodecProtocol, messages_fit_the_buffer_whatever_the_texts) {
  Response r = good();
  r.sentence.assign(10'000, 'x');
  r.decoder.assign(10'000, 'y');
  EXPECT_LE(write_response(r).size(), message_bytes_max);
}

}  // namespace
}  // namespace fiducia::codec::protocol
