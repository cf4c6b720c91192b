// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/cli.h"
#include "commands.h"
#include "home/home.h"
#include "json/json.h"
#include "trust/trust.h"

namespace fiducia::app {
namespace {

std::optional<trust::Revocation> find_revocation(const trust::Trust& trust,
                                                 const home::Device& device) {
  const Digest key = device.certificate.key_hash();
  for (const trust::Revocation& revocation : trust.revocations)
    if (revocation.key == key) return revocation;
  return std::nullopt;
}

void print_device(const home::Device& device, const std::optional<trust::Revocation>& revocation,
                  const cli::CommonOptions& common) {
  const std::string fingerprint = "sha256:" + to_hex(device.certificate.fingerprint().view());
  const std::string key = "sha256:" + to_hex(device.certificate.key_hash().view());
  std::string roles;
  for (const crypto::Role role : device.certificate.roles())
    roles += (roles.empty() ? "" : ", ") + std::string(crypto::to_word(role));
  const std::string from = to_rfc3339(device.certificate.not_before());
  const std::string until = to_rfc3339(device.certificate.not_after());
  if (common.json) {
    json::Writer json;
    json.open_object();
    json.member("schema", "fiducia.device/1");
    json.member("device", device.name);
    json.member("signer", fingerprint);
    json.member("key", key);
    json.key("roles");
    json.open_array();
    for (const crypto::Role role : device.certificate.roles()) json.text(crypto::to_word(role));
    json.close_array();
    json.member("not_before", from);
    json.member("not_after", until);
    if (revocation) {
      json.key("revoked");
      json.open_object();
      json.member("at", to_rfc3339(revocation->at));
      json.member("reason", revocation->reason);
      json.close_object();
    }
    json.close_object();
    cli::print_line(json.take());
  } else if (!common.quiet) {
    cli::print_line(cli::printable(device.name) + "  " + (roles.empty() ? "no role" : roles) +
                    "  key " + key + "  " + from + " to " + until +
                    (revocation ? "  revoked since " + to_rfc3339(revocation->at) + ": " +
                                      cli::printable(revocation->reason)
                                : ""));
  }
}

Result<home::Device> add_device(const home::Home& home, const cli::DeviceOptions& options) {
  std::vector<crypto::Role> roles;
  for (const std::string& word : options.roles) {
    const auto role = crypto::find_role(word);
    FIDUCIA_ASSERT(role.has_value());  // the command line took no other word
    if (std::ranges::find(roles, *role) == roles.end()) roles.push_back(*role);
  }
  return home.add_device(options.name, system_now(), roles);
}

Status device(const cli::DeviceOptions& options) {
  FIDUCIA_TRY(folder, home::locate_home(options.common.home));
  FIDUCIA_TRY(home, home::Home::open(folder));
  home.set_passphrase_file(options.common.passphrase_file);
  switch (options.action) {
    case cli::DeviceOptions::Action::add: {
      FIDUCIA_TRY(added, add_device(home, options));
      print_device(added, std::nullopt, options.common);
      return {};
    }
    case cli::DeviceOptions::Action::list: {
      FIDUCIA_TRY(trust, trust::open_trust(home.trust_path()));
      FIDUCIA_TRY(devices, home.devices());
      for (const home::Device& known : devices)
        print_device(known, find_revocation(trust, known), options.common);
      return {};
    }
    case cli::DeviceOptions::Action::revoke: {
      FIDUCIA_CHECK(
          home.revoke_device(options.name, options.at.value_or(system_now()), options.reason));
      FIDUCIA_TRY(known, home.device(options.name));
      FIDUCIA_TRY(trust, trust::open_trust(home.trust_path()));
      print_device(known, find_revocation(trust, known), options.common);
      if (!options.common.quiet && !options.common.json)
        cli::print_warning("hand the new trust file to everybody who verifies: " +
                           home.trust_path().string());
      return {};
    }
  }
  std::unreachable();
}

}  // namespace

int run(const cli::DeviceOptions& options) {
  if (const Status done = device(options); !done) {
    cli::print_error(done.error(), options.common.json);
    return 1;
  }
  return 0;
}

}  // namespace fiducia::app
