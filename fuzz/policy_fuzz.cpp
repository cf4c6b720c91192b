// SPDX-License-Identifier: Apache-2.0
// Witness policies: what is read and written is read as the same, and no set of names that holds
// nothing of the policy is a quorum unless none is asked for.
#include "ledger_format/policy.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(policy) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto policy = ledger_format::read_policy(text, "policy");
  if (!policy) {
    FIDUCIA_ASSERT(policy.error().code == ErrorCode::config_invalid ||
                   policy.error().code == ErrorCode::over_limit);
    FIDUCIA_ASSERT(policy.error().what.find("line ") == 0 ||
                   policy.error().code == ErrorCode::over_limit);
    return 0;
  }
  const std::string written = ledger_format::write_policy(*policy);
  const auto again = ledger_format::read_policy(written, "again");
  FIDUCIA_ASSERT(again.has_value());
  FIDUCIA_ASSERT(ledger_format::write_policy(*again) == written);
  FIDUCIA_ASSERT(ledger_format::has_quorum(*policy, {}) == (policy->quorum == "none"));
  std::set<std::string, std::less<>> all;
  for (const ledger_format::PolicyWitness& witness : policy->witnesses) all.insert(witness.name);
  FIDUCIA_ASSERT(ledger_format::has_quorum(*policy, all));
  return 0;
}
