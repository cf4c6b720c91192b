// SPDX-License-Identifier: Apache-2.0
// Any bytes as a time-stamp token, as a TSA's answer and as a request to a TSA: nothing crashes,
// what is forged does not verify, and the token that the corpus starts from keeps what it says.
#include <cstdint>

#include "crypto/hash.h"
#include "crypto/time_stamp.h"
#include "target.h"

namespace {

using namespace fiducia;
using namespace fiducia::crypto;

constexpr UnixTime start{1'700'000'000};
constexpr UnixTime middle{1'750'000'000};
constexpr UnixTime end{1'800'000'000};

/// A TSA with keys of its own in each process: no input can hold a token of it.
struct Tsa {
  PrivateKey root_key = PrivateKey::generate(KeyKind::p256).value();
  PrivateKey key = PrivateKey::generate(KeyKind::p256).value();
  CertificateRequest request{
      .common_name = "TSA", .organization = "", .not_before = start, .not_after = end};
  std::vector<Certificate> anchors{make_authority(root_key, request).value()};
  Certificate certificate =
      make_time_stamp_certificate(key.public_key(), request, root_key, anchors.front()).value();
};

}  // namespace

FIDUCIA_FUZZ_TARGET(time_stamp) {
  static const Tsa tsa;
  static const Digest imprint = sha256(as_bytes("checkpoint"));
  const ByteView input = std::as_bytes(std::span(data, size));

  const auto stamp = verify_time_stamp(input, {.imprint = imprint, .anchors = tsa.anchors});
  FIDUCIA_ASSERT(!stamp);
  const auto token = read_time_stamp_response(input);
  if (token) {
    FIDUCIA_ASSERT(token->size() <= size);
    FIDUCIA_ASSERT(!verify_time_stamp(*token, {.imprint = imprint, .anchors = tsa.anchors}));
  }
  const auto answer = answer_time_stamp_request(input, {.key = tsa.key,
                                                        .certificate = tsa.certificate,
                                                        .above = {},
                                                        .policy = "2.999.1",
                                                        .clock = [] { return middle; },
                                                        .accuracy_seconds = 1});
  FIDUCIA_ASSERT(answer.has_value());  // a bad request is answered, too
  if (const auto granted = read_time_stamp_response(*answer)) {
    // Whoever asked with this request can check what was stamped.
    const auto other = verify_time_stamp(*granted, {.imprint = imprint, .anchors = tsa.anchors});
    if (other) FIDUCIA_ASSERT(other->at == middle && other->latest.seconds == middle.seconds + 1);
  }
  return 0;
}
