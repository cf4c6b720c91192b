// SPDX-License-Identifier: Apache-2.0
#include "services/radosgw.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "support/support.h"

namespace fiducia::test {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "RadosGateway: %s\n", what);
  std::abort();
}

}  // namespace

RadosGateway::RadosGateway() {
  const std::map<std::string, std::string*> wanted{
      {"endpoint", &endpoint}, {"region", &region},       {"key", &key},
      {"secret", &secret},     {"other_key", &other_key}, {"other_secret", &other_secret}};
  if (std::getenv("FIDUCIA_S3_ENDPOINT") != nullptr) {
    for (const auto& [name, value] : wanted) {
      std::string variable = "FIDUCIA_S3_";
      for (const char c : name) variable += static_cast<char>(c == '_' ? c : c - 'a' + 'A');
      const char* found = std::getenv(variable.c_str());
      if (found == nullptr) give_up("the environment has an endpoint, but no keys");
      *value = found;
    }
    return;
  }
  // Close on exec: a program that a test starts must not keep the script's input open.
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0)
    give_up("no pipe");
  const std::string program = source("tests/services/radosgw").string();
  script_ = fork();
  if (script_ < 0) give_up("no process");
  if (script_ == 0) {
    dup2(input[0], 0);
    dup2(output[1], 1);
    execl(program.c_str(), "radosgw", "serve", nullptr);
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  input_ = input[1];
  std::string line;
  std::array<char, 4096> buffer{};
  while (line.find('\n') == std::string::npos) {
    const ssize_t count = read(output[0], buffer.data(), buffer.size());
    if (count <= 0) give_up("tests/services/radosgw did not start a server");
    line.append(buffer.data(), static_cast<std::size_t>(count));
  }
  close(output[0]);
  const auto told = nlohmann::json::parse(line, nullptr, false);
  if (!told.is_object()) give_up("tests/services/radosgw did not tell where the server is");
  for (const auto& [name, value] : wanted) *value = told.value(name, "");
}

RadosGateway::~RadosGateway() {
  if (script_ < 0) return;
  close(input_);
  waitpid(script_, nullptr, 0);
}

}  // namespace fiducia::test
