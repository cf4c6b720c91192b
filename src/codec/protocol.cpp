// SPDX-License-Identifier: Apache-2.0
#include "codec/protocol.h"

#include <algorithm>
#include <utility>

#include "codec/native.h"

namespace fiducia::codec::protocol {
namespace {

// Both ends come from one build, so a mismatch means a mixed installation.
constexpr std::uint32_t request_magic = 0x31514346;   // "FCQ1"
constexpr std::uint32_t response_magic = 0x31524346;  // "FCR1"

void append_text(Bytes& to, std::string_view text, std::size_t bytes_max) {
  text = text.substr(0, bytes_max);
  append_le<std::uint16_t>(to, static_cast<std::uint16_t>(text.size()));
  append(to, as_bytes(text));
}

Result<std::string> take_text(ByteCursor& cursor, std::size_t bytes_max) {
  FIDUCIA_TRY(length, cursor.le<std::uint16_t>());
  if (length > bytes_max) return fail_malformed("codec_protocol", "a text is too long.");
  FIDUCIA_TRY(bytes, cursor.take(length));
  return std::string(as_text(bytes));
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Result<Response> parse_response(ByteView message) {
  ByteCursor cursor{message};
  FIDUCIA_TRY(magic, cursor.le<std::uint32_t>());
  if (magic != response_magic) return fail_malformed("codec_protocol", "no response.");
  FIDUCIA_TRY(answer, cursor.le<std::uint8_t>());
  if (answer > std::to_underlying(Answer::too_big))
    return fail_malformed("codec_protocol", "unknown answer.");
  FIDUCIA_TRY(lossless, cursor.le<std::uint8_t>());
  if (lossless > 1) return fail_malformed("codec_protocol", "a flag is neither 0 nor 1.");
  FIDUCIA_TRY(oddities, cursor.le<std::uint32_t>());
  if (Oddities::of_bits(oddities).bits() != oddities)
    return fail_malformed("codec_protocol", "an unknown oddity.");
  FIDUCIA_TRY(output_bytes, cursor.le<std::uint64_t>());
  FIDUCIA_TRY(photometric, take_text(cursor, photometric_interpretation_bytes_max));
  FIDUCIA_TRY(decoder, take_text(cursor, decoder_bytes_max));
  FIDUCIA_TRY(sentence, take_text(cursor, sentence_bytes_max));
  if (cursor.remaining() != 0) return fail_malformed("codec_protocol", "bytes after the end.");
  return Response{.answer = static_cast<Answer>(answer),
                  .output_bytes = output_bytes,
                  .lossless = lossless == 1,
                  .oddities = Oddities::of_bits(oddities),
                  .photometric_interpretation = std::move(photometric),
                  .decoder = std::move(decoder),
                  .sentence = std::move(sentence)};
}

}  // namespace

Bytes write_request(const Request& request) {
  const Geometry& g = request.geometry;
  Bytes out;
  out.reserve(128);
  append_le<std::uint32_t>(out, request_magic);
  append_le<std::uint8_t>(out, static_cast<std::uint8_t>(request.encoding));
  append_le<std::uint32_t>(out, g.rows);
  append_le<std::uint32_t>(out, g.columns);
  append_le<std::uint16_t>(out, g.samples_per_pixel);
  append_le<std::uint16_t>(out, g.bits_allocated);
  append_le<std::uint16_t>(out, g.bits_stored);
  append_le<std::uint16_t>(out, g.high_bit);
  append_le<std::uint8_t>(out, static_cast<std::uint8_t>(g.kind));
  append_text(out, g.photometric_interpretation, photometric_interpretation_bytes_max);
  append_le<std::uint64_t>(out, request.input_bytes);
  append_le<std::uint8_t>(out, std::to_underlying(request.turn));
  append_le<std::uint8_t>(out, std::to_underlying(request.rendition));
  return out;
}

Result<Request> read_request(ByteView message) {
  ByteCursor cursor{message};
  Request request;
  Geometry& g = request.geometry;
  FIDUCIA_TRY(magic, cursor.le<std::uint32_t>());
  if (magic != request_magic)
    return fail_malformed("codec_protocol", "fiducia and fiducia-codec are of different builds.");
  FIDUCIA_TRY(encoding, cursor.le<std::uint8_t>());
  FIDUCIA_TRY(rows, cursor.le<std::uint32_t>());
  FIDUCIA_TRY(columns, cursor.le<std::uint32_t>());
  FIDUCIA_TRY(samples, cursor.le<std::uint16_t>());
  FIDUCIA_TRY(allocated, cursor.le<std::uint16_t>());
  FIDUCIA_TRY(stored, cursor.le<std::uint16_t>());
  FIDUCIA_TRY(high, cursor.le<std::uint16_t>());
  FIDUCIA_TRY(kind, cursor.le<std::uint8_t>());
  FIDUCIA_TRY(photometric, take_text(cursor, photometric_interpretation_bytes_max));
  FIDUCIA_TRY(input_bytes, cursor.le<std::uint64_t>());
  FIDUCIA_TRY(turn, cursor.le<std::uint8_t>());
  if (turn > std::to_underlying(Turn::next))
    return fail_malformed("codec_protocol", "an unknown turn.");
  FIDUCIA_TRY(rendition, cursor.le<std::uint8_t>());
  if (rendition >= rendition_count || (rendition != 0) != (turn == std::to_underlying(Turn::next)))
    return fail_malformed("codec_protocol", "an unknown rendition.");
  if (cursor.remaining() != 0) return fail_malformed("codec_protocol", "bytes after the end.");
  if (encoding > static_cast<std::uint8_t>(dicom::PixelEncoding::unknown) ||
      kind > std::to_underlying(SampleKind::floating) || rows == 0 || columns == 0 ||
      rows > 65535 || columns > 65535 || samples == 0 || samples > samples_per_pixel_max ||
      allocated == 0 || allocated > 64 || stored == 0 || stored > allocated || high >= allocated ||
      high + 1 < stored)
    return fail_malformed("codec_protocol", "the geometry is impossible.");
  request.encoding = static_cast<dicom::PixelEncoding>(encoding);
  g.rows = rows;
  g.columns = columns;
  g.samples_per_pixel = samples;
  g.bits_allocated = allocated;
  g.bits_stored = stored;
  g.high_bit = high;
  g.kind = static_cast<SampleKind>(kind);
  g.photometric_interpretation = std::move(photometric);
  request.input_bytes = input_bytes;
  request.turn = static_cast<Turn>(turn);
  request.rendition = static_cast<Rendition>(rendition);
  if (g.frame_bytes() > limits::frame_bytes_max || input_bytes > limits::encoded_frame_bytes_max)
    return fail_malformed("codec_protocol", "the frame does not fit.");
  return request;
}

Bytes write_response(const Response& response) {
  Bytes out;
  out.reserve(128);
  append_le<std::uint32_t>(out, response_magic);
  append_le<std::uint8_t>(out, std::to_underlying(response.answer));
  append_le<std::uint8_t>(out, response.lossless ? 1 : 0);
  append_le<std::uint32_t>(out, response.oddities.bits());
  append_le<std::uint64_t>(out, response.output_bytes);
  append_text(out, response.photometric_interpretation, photometric_interpretation_bytes_max);
  append_text(out, response.decoder, decoder_bytes_max);
  append_text(out, response.sentence, sentence_bytes_max);
  return out;
}

Result<Response> read_response(ByteView message, const Geometry& geometry) {
  const auto wrong = [](const char* what) {
    return fail(ErrorCode::codec_failed,
                std::string("the decoder fiducia-codec gave a wrong answer: ") + what,
                "Do not trust this file; report it.");
  };
  auto response = parse_response(message);
  if (!response) return wrong(response.error().what.c_str());
  if (!is_printable(response->photometric_interpretation) || !is_printable(response->decoder) ||
      !is_printable(response->sentence))
    return wrong("a text has control characters.");
  if (response->answer != Answer::decoded) return response;
  if (response->output_bytes != geometry.frame_bytes())
    return wrong("the size of the frame is not that of its rows and columns.");
  if (response->photometric_interpretation != "RGB" &&
      response->photometric_interpretation != geometry.photometric_interpretation)
    return wrong("an impossible Photometric Interpretation.");
  if (response->decoder.empty()) return wrong("the decoder has no name.");
  return response;
}

}  // namespace fiducia::codec::protocol
