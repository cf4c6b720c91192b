// SPDX-License-Identifier: Apache-2.0
#include "command_home.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "ledger_commands.h"

namespace fiducia::test {

template <class Options>
std::pair<int, std::string> run_captured(const Options& options) {
  testing::internal::CaptureStdout();
  int code = 0;
  if constexpr (requires { app::run(options); })
    code = app::run(options);
  else
    code = ledger_app::run(options);
  std::fflush(stdout);
  return {code, testing::internal::GetCapturedStdout()};
}
template std::pair<int, std::string> run_captured(const cli::InitOptions&);
template std::pair<int, std::string> run_captured(const cli::DeviceOptions&);
template std::pair<int, std::string> run_captured(const cli::SealOptions&);
template std::pair<int, std::string> run_captured(const cli::VerifyOptions&);
template std::pair<int, std::string> run_captured(const cli::ExportOptions&);
template std::pair<int, std::string> run_captured(const cli::InspectOptions&);
template std::pair<int, std::string> run_captured(const cli::LedgerOptions&);
template std::pair<int, std::string> run_captured(const cli::StoreOptions&);

}  // namespace fiducia::test
