// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "ledger_net/ledger_net.h"
#include "witness_support.h"

namespace fiducia::ledger_net::test {

using namespace fiducia::witness::test;
using ledger_format::Policy;
using ledger_format::VerifierKey;

inline Bytes to_bytes(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}
inline http::ClientResponse response(unsigned status, std::string_view body,
                                     const std::string& content_type = "text/plain") {
  return {.status = status, .headers = {{"content-type", content_type}}, .body = to_bytes(body)};
}

/// A witness as a key only, to say what no honest one would.
struct Liar {
  crypto::PrivateKey key = new_key();
  VerifierKey vkey;
  explicit Liar(const std::string& name = "liar.example.org")
      : vkey(ledger_format::make_vkey(name, ledger_format::NoteKeyType::cosignature,
                                      key.public_key().write_ed25519())) {}
  [[nodiscard]] std::string line(std::string_view text, UnixTime time = noon) const {
    return ledger_format::write_signature_line(
        ledger_format::cosign(text, vkey, key, time).value());
  }
};

/// A policy over witnesses that are added one by one: `quorum` of all.
inline Policy policy_of(const ledger_format::test::MadeLog& log,
                        const std::vector<ledger_format::PolicyWitness>& witnesses,
                        std::size_t quorum) {
  Policy policy{.logs = {{.key = log.vkey()}}, .witnesses = witnesses, .groups = {}};
  if (quorum == 0) return policy;
  ledger_format::PolicyGroup group{.name = "enough", .threshold = quorum, .members = {}};
  for (const ledger_format::PolicyWitness& witness : witnesses)
    group.members.push_back(witness.name);
  policy.groups.push_back(group);
  policy.quorum = "enough";
  return policy;
}

inline CosignRequest request_of(const ledger_format::test::MadeLog& log, std::uint64_t size,
                                std::uint64_t forked_from = MadeLog::no_fork) {
  return {.note = log.note(size, forked_from),
          .log_key = log.vkey(),
          .signed_at = noon,
          .proofs = [forked_from](std::uint64_t first,
                                  std::uint64_t second) -> Result<std::vector<Digest>> {
            return merkle::consistency_proof(MadeLog::leaves(second, forked_from), first);
          }};
}

}  // namespace fiducia::ledger_net::test
