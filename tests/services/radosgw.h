// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <string>

namespace fiducia::test {

/// A real S3 server for one test program: tests/services/radosgw as a child process, which ends
/// with this object and with the process, however that ends. Where FIDUCIA_S3_ENDPOINT is set
/// (`tests/services/radosgw run PROGRAM`), the server of that environment is used.
class RadosGateway {
 public:
  /// Starts it, some ten seconds; ends the program where that fails.
  RadosGateway();
  ~RadosGateway();
  RadosGateway(const RadosGateway&) = delete;
  RadosGateway& operator=(const RadosGateway&) = delete;

  std::string endpoint;  // "http://127.0.0.1:40125"
  std::string region;
  std::string key;  // of a user who may do everything in his buckets
  std::string secret;
  std::string other_key;  // of a second one, without rights in the buckets of the first
  std::string other_secret;

 private:
  int input_ = -1;  // its end tells the script to stop
  pid_t script_ = -1;
};

}  // namespace fiducia::test
