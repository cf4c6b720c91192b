// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "codec/codestream.h"
#include "codec/geometry.h"

/// What a parent and its fiducia-codec say to each other (README.md of this folder).
///
/// The child holds a SOCK_SEQPACKET socket as descriptor 0 and a memory file as descriptor 3.
/// The memory file has a fixed, sealed size; the encoded frame lies at its start, the decoded
/// one at `output_offset`. Pages that are never touched cost nothing. One request, one response.
namespace fiducia::codec::protocol {

inline constexpr int socket_fd = 0;
inline constexpr int memory_fd = 3;
inline constexpr std::uint64_t output_offset = limits::encoded_frame_bytes_max;
inline constexpr std::uint64_t memory_bytes = output_offset + limits::frame_bytes_max;
/// Longest request or response, in bytes.
inline constexpr std::size_t message_bytes_max = 1024;
inline constexpr std::size_t decoder_bytes_max = 64;
inline constexpr std::size_t sentence_bytes_max = 400;

/// How a request belongs to the others.
enum class Turn : std::uint8_t {
  alone = 0,
  first = 1,  // other renditions of the same frame follow
  next = 2,   // another rendition; encoding, geometry and input are those of the request before
};

struct Request {
  dicom::PixelEncoding encoding = dicom::PixelEncoding::unknown;
  Geometry geometry;  // frames and planar_configuration mean nothing here
  std::uint64_t input_bytes = 0;
  Turn turn = Turn::alone;
  Rendition rendition = Rendition::rgb_interpolated;  // another one only with Turn::next
};

enum class Answer : std::uint8_t {
  decoded = 0,
  refused = 1,        // the codestream is damaged or is not what the geometry says
  codec_missing = 2,  // this program was built without the codec
  too_big = 3,        // memory ran out
};

struct Response {
  Answer answer = Answer::refused;
  std::uint64_t output_bytes = 0;
  bool lossless = false;
  Oddities oddities;
  std::string photometric_interpretation;
  std::string decoder;
  std::string sentence;  // why not; for people
};

[[nodiscard]] Bytes write_request(const Request& request);
/// Errors: malformed (kind "codec_protocol").
[[nodiscard]] Result<Request> read_request(ByteView message);

/// Texts that are too long are cut.
[[nodiscard]] Bytes write_response(const Response& response);
/// Reads what a child answers, which may be in the hands of an attacker: lengths, enumerators
/// and characters are checked; a decoded frame must have exactly the bytes of `geometry`, and
/// its Photometric Interpretation is "RGB" or that of `geometry`.
/// Errors: codec_failed.
[[nodiscard]] Result<Response> read_response(ByteView message, const Geometry& geometry);

}  // namespace fiducia::codec::protocol
