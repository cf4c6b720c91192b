// SPDX-License-Identifier: Apache-2.0
// What a parent reads from a child in the hands of an attacker, and a child from its parent. What
// is believed must be plausible, and must be what writing it again gives.
#include "codec/protocol.h"
#include "target.h"

FIDUCIA_FUZZ_TARGET(codec_protocol) {
  using namespace fiducia;
  const ByteView message{reinterpret_cast<const std::byte*>(data), size};
  codec::Geometry geometry;
  geometry.rows = 4;
  geometry.columns = 6;
  geometry.bits_allocated = geometry.bits_stored = 16;
  geometry.high_bit = 15;
  geometry.photometric_interpretation = "MONOCHROME2";
  if (const auto response = codec::protocol::read_response(message, geometry)) {
    FIDUCIA_ASSERT(same_bytes(codec::protocol::write_response(*response), message));
    if (response->answer == codec::protocol::Answer::decoded) {
      FIDUCIA_ASSERT(response->output_bytes == geometry.frame_bytes());
      FIDUCIA_ASSERT(response->photometric_interpretation == "RGB" ||
                     response->photometric_interpretation == "MONOCHROME2");
    }
    for (const std::string* text : {&response->decoder, &response->sentence})
      for (const char c : *text) FIDUCIA_ASSERT(c >= ' ' && c <= '~');
  }
  if (const auto request = codec::protocol::read_request(message)) {
    FIDUCIA_ASSERT(request->geometry.frame_bytes() <= limits::frame_bytes_max);
    FIDUCIA_ASSERT(request->input_bytes <= limits::encoded_frame_bytes_max);
    FIDUCIA_ASSERT(same_bytes(codec::protocol::write_request(*request), message));
  }
  return 0;
}
