// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "ledger_format/cosignature.h"
#include "ledger_format/note.h"

/// Witness policies (C2SP tlog-policy): which logs and witnesses count, and how many of them.
namespace fiducia::ledger_format {

struct PolicyLog {
  VerifierKey key;  // its name is the log's origin
  std::string url = {};
};
struct PolicyWitness {
  std::string name;      // inside the policy only; octets, opaque
  VerifierKey key;       // of type cosignature
  std::string url = {};  // submission prefix of tlog-witness; empty: reached in other ways
};
struct PolicyGroup {
  std::string name;
  std::size_t threshold = 1;         // so many of `members` make the group
  std::vector<std::string> members;  // witnesses and groups that stand before this one
};

/// Invariant of what `read_policy` returns: names are unique, every member and the quorum is
/// defined before its use, a name is a member once, keys of logs and keys of witnesses are unique.
struct Policy {
  std::vector<PolicyLog> logs;  // may be empty where the log is known from elsewhere
  std::vector<PolicyWitness> witnesses;
  std::vector<PolicyGroup> groups;
  std::string quorum = "none";  // a witness, a group, or "none": no cosignature is needed

  [[nodiscard]] const PolicyWitness* find_witness(std::string_view name) const;
};

/// Errors: config_invalid with `name` and the line; over_limit.
[[nodiscard]] Result<Policy> read_policy(std::string_view text, const std::string& name);
/// Errors: io_unreadable, and as `read_policy`.
[[nodiscard]] Result<Policy> open_policy(const std::filesystem::path& path);
/// One line each, in the order logs, witnesses, groups, quorum; read_policy gives back the same.
[[nodiscard]] std::string write_policy(const Policy& policy);

/// Whether the witnesses of these names (those of the policy) are enough.
[[nodiscard]] bool has_quorum(const Policy& policy,
                              const std::set<std::string, std::less<>>& witnesses);

/// Which bounds the cosignatures of a checkpoint must keep so that they count: nothing from the
/// future of `now`.
[[nodiscard]] CosignatureBounds bounds_at(UnixTime now);

struct Cosigned {
  std::string witness;  // the name in the policy
  UnixTime time;
};
/// What a policy says about a signed checkpoint.
struct PolicyVerdict {
  bool accepted = false;
  Checkpoint checkpoint;
  std::string log;                 // key name of the log that signed; empty: none that is listed
  std::vector<Cosigned> cosigned;  // by witnesses of the policy, in its order
  std::string text;                // one sentence: why
};
/// A line of a log or witness of the policy that does not verify refuses the note. A cosignature
/// out of `bounds` does not count. Errors: malformed, over_limit (no checkpoint).
[[nodiscard]] Result<PolicyVerdict> judge_checkpoint(const Policy& policy, std::string_view note,
                                                     const CosignatureBounds& bounds);

}  // namespace fiducia::ledger_format
