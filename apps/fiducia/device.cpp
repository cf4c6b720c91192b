// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "home.h"
#include "output.h"
#include "report/json_writer.h"

namespace fiducia::app {
namespace {

std::optional<seal::Revocation> find_revocation(const seal::Trust& trust, const Device& device) {
  const Digest signer = device.certificate.fingerprint();
  for (const seal::Revocation& revocation : trust.revocations)
    if (revocation.signer == signer) return revocation;
  return std::nullopt;
}

void print_device(const Device& device, const std::optional<seal::Revocation>& revocation,
                  const CommonOptions& common) {
  const std::string fingerprint = "sha256:" + to_hex(device.certificate.fingerprint().view());
  const std::string from = to_rfc3339(device.certificate.not_before());
  const std::string until = to_rfc3339(device.certificate.not_after());
  if (common.json) {
    report::JsonWriter json;
    json.open_object();
    json.member("schema", "fiducia.device/1");
    json.member("device", device.name);
    json.member("signer", fingerprint);
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
    print_line(json.take());
  } else if (!common.quiet) {
    print_line(printable(device.name) + "  " + fingerprint + "  " + from + " to " + until +
               (revocation ? "  revoked since " + to_rfc3339(revocation->at) + ": " +
                                 printable(revocation->reason)
                           : ""));
  }
}

Status device(const DeviceOptions& options) {
  FIDUCIA_TRY(folder, locate_home(options.common.home));
  FIDUCIA_TRY(home, Home::open(folder));
  switch (options.action) {
    case DeviceOptions::Action::add: {
      FIDUCIA_TRY(added, home.add_device(options.name, system_now()));
      print_device(added, std::nullopt, options.common);
      return {};
    }
    case DeviceOptions::Action::list: {
      FIDUCIA_TRY(trust, seal::open_trust(home.trust_path()));
      FIDUCIA_TRY(devices, home.devices());
      for (const Device& known : devices)
        print_device(known, find_revocation(trust, known), options.common);
      return {};
    }
    case DeviceOptions::Action::revoke: {
      FIDUCIA_CHECK(
          home.revoke_device(options.name, options.at.value_or(system_now()), options.reason));
      FIDUCIA_TRY(known, home.device(options.name));
      FIDUCIA_TRY(trust, seal::open_trust(home.trust_path()));
      print_device(known, find_revocation(trust, known), options.common);
      if (!options.common.quiet && !options.common.json)
        print_warning("hand the new trust file to everybody who verifies: " +
                      home.trust_path().string());
      return {};
    }
  }
  std::unreachable();
}

}  // namespace

int run(const DeviceOptions& options) {
  if (const Status done = device(options); !done) {
    print_error(done.error(), options.common.json);
    return 1;
  }
  return 0;
}

}  // namespace fiducia::app
