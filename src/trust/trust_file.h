// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"
#include "crypto/crypto.h"
#include "ledger_format/ledger_format.h"
#include "trust/tolerance.h"

namespace fiducia::trust {

/// A certificate authority and what its signers may do.
struct TrustedAuthority {
  std::string name;
  crypto::Certificate certificate;
  std::vector<std::string> roles;  // words of crypto::Role
};

struct TrustedWitness {
  std::string name;
  ledger_format::VerifierKey key;
};

/// A checkpoint that the trust file vouches for: this tree existed at `at`. So whatever is in it is
/// older than that, whatever became of the ledger's key since.
struct PinnedCheckpoint {
  std::uint64_t tree_size = 0;
  Digest root;
  UnixTime at;
};

/// A ledger whose receipts count. A seal counts only with a receipt of one of these, and with
/// cosignatures of at least `quorum` of its witnesses, and with time-stamps by at least
/// `time_stamps` authorities of the file.
struct TrustedLedger {
  std::string origin;
  ledger_format::VerifierKey key;
  std::uint32_t quorum = 0;
  std::vector<TrustedWitness> witnesses;
  /// How many different time-stamp authorities of the trust file must have stamped the checkpoint.
  std::uint32_t time_stamps = 0;
  std::vector<PinnedCheckpoint> pinned = {};
};

/// A time-stamp authority (RFC 3161) whose tokens count.
struct TrustedTsa {
  std::string name;
  crypto::Certificate certificate;    // a root of TSAs, or the TSA's own
  std::vector<std::string> policies;  // object identifiers, dotted; empty: any policy counts
};

/// A key that may be in other hands since `at`: of a device, an authority, a ledger, a witness or a
/// time-stamp authority. What it signs at or after `at` does not count, nor, of all but devices,
/// what it may have dated back (spec/trust.md section 7).
struct Revocation {
  Digest key;  // SHA-256 of the SubjectPublicKeyInfo (crypto::Certificate::key_hash)
  UnixTime at;
  std::string reason;
};

/// A device that seals everything since a day: a missing seal is then an alarm. An image is one
/// of this device when its Station Name (0008,1010) and Device Serial Number (0018,1000) equal
/// those below that are not empty; when both are empty, when its Station Name equals `name`.
struct SealingDevice {
  std::string name;
  UnixTime seals_since;
  std::string station_name = {};          // compared exactly, padding off
  std::string device_serial_number = {};  // the same
};

/// What a verifier believes (DESIGN 6). A verifier needs this and the evidence, nothing else.
struct Trust {
  std::uint64_t serial = 0;  // grows with each edition of the file
  std::vector<TrustedAuthority> authorities;
  std::vector<TrustedLedger> ledgers;
  std::vector<Revocation> revocations;
  std::vector<SealingDevice> devices;
  std::vector<TrustedTsa> tsas;
  std::optional<Tolerance> tolerance;  // absent: no difference of a header is tolerated
};

/// The hash that a revocation of this verifier key names.
[[nodiscard]] Digest key_hash_of(const ledger_format::VerifierKey& key);

/// Reads a trust file (TOML 1.0, spec/trust.md) of version 1 or 2. Unknown keys are refused: a
/// misspelt "revocation" must not pass in silence. Errors: config_invalid with line and column.
[[nodiscard]] Result<Trust> read_trust(std::string_view toml, const std::string& name);
/// Errors: io_unreadable, over_limit, config_invalid.
[[nodiscard]] Result<Trust> open_trust(const std::filesystem::path& path);
/// The file for `trust`, with comments that teach, in the lowest version that can say it;
/// read_trust gives back the same, provided that `trust` keeps the rules of spec/trust.md (as what
/// read_trust returns does).
[[nodiscard]] std::string write_trust(const Trust& trust);

}  // namespace fiducia::trust
