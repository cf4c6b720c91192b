// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.h"

#include "cli/output.h"

namespace fiducia::cli {

bool is_damage(const Error& error) {
  return error.code == ErrorCode::signature_bad || error.code == ErrorCode::malformed ||
         error.code == ErrorCode::truncated;
}

int finish(const Result<int>& done, bool json) {
  if (done) return *done;
  print_error(done.error(), json);
  return is_damage(done.error()) ? damaged_exit_code : failed_exit_code;
}

}  // namespace fiducia::cli
