// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cli/options.h"

namespace CLI {
class App;
}

/// Inside cli: the options of `fiducia ledger`.
namespace fiducia::cli {

/// --home, --json and --quiet.
void add_common(CLI::App& app, CommonOptions& common);
void add_evidence(CLI::App& app, std::vector<std::string>& evidence);

/// Everything that may follow `fiducia ledger`; what is called is left in `command`.
void add_ledger(CLI::App& app, Command& command);

}  // namespace fiducia::cli
