// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"

/// What the two sides of an association propose and answer (PS3.8 section 9.3.2 and 9.3.3; PS3.7
/// Annex D.3).
namespace fiducia::dimse {

struct ProposedContext {
  std::uint8_t id = 1;  // odd
  std::string abstract_syntax;
  std::vector<std::string> transfer_syntaxes;  // at least one
  bool operator==(const ProposedContext&) const = default;
};

enum class ContextResult : std::uint8_t {
  accepted = 0,
  user_rejection = 1,
  no_reason = 2,
  abstract_syntax_not_supported = 3,
  transfer_syntaxes_not_supported = 4,
};
struct AnsweredContext {
  std::uint8_t id = 1;
  ContextResult result = ContextResult::no_reason;
  std::string transfer_syntax;  // means something where accepted
  bool operator==(const AnsweredContext&) const = default;
};

/// SCP/SCU role selection (PS3.7 section D.3.3.4): the roles of the *requestor*. Without it the
/// requestor is SCU and nothing else.
struct RoleSelection {
  std::string sop_class;
  bool scu = true;
  bool scp = false;
  bool operator==(const RoleSelection&) const = default;
};

/// SOP class extended negotiation (PS3.7 section D.3.3.5).
struct ExtendedNegotiation {
  std::string sop_class;
  Bytes information;
  bool operator==(const ExtendedNegotiation&) const = default;
};

/// User identity negotiation (PS3.7 section D.3.3.7).
struct UserIdentity {
  std::uint8_t type = 1;  // 1 name, 2 name and passcode, 3 Kerberos, 4 SAML, 5 JSON web token
  bool wants_response = false;
  Bytes primary;
  Bytes secondary;  // the passcode: a secret
  bool operator==(const UserIdentity&) const = default;
};

/// Operations that may be outstanding (PS3.7 section D.3.3.3); 0 means any number.
struct AsyncWindow {
  std::uint16_t invoked = 1;
  std::uint16_t performed = 1;
  bool operator==(const AsyncWindow&) const = default;
};

/// The user information item. What PS3.7 does not know is skipped, as section 9.3.1 of PS3.8
/// demands.
struct UserInformation {
  /// The longest P-DATA-TF after its header that the sender of this item takes; 0 means any.
  std::uint32_t p_data_bytes_max = 0;
  std::string implementation_class_uid;
  std::string implementation_version;  // up to 16 characters; may be missing
  std::optional<AsyncWindow> window = {};
  std::vector<RoleSelection> roles = {};
  std::vector<ExtendedNegotiation> extended = {};
  std::optional<UserIdentity> identity = {};    // of a request
  std::optional<Bytes> identity_response = {};  // of an answer
  bool operator==(const UserInformation&) const = default;
};

struct AssociateRequest {
  std::string called_ae_title;
  std::string calling_ae_title;
  std::string application_context;
  std::vector<ProposedContext> contexts;
  UserInformation user;
  bool operator==(const AssociateRequest&) const = default;
};

struct AssociateAccept {
  /// Those of the request: an acceptor sends them back unread, and nobody tests them.
  std::string called_ae_title;
  std::string calling_ae_title;
  std::string application_context;
  std::vector<AnsweredContext> contexts;
  UserInformation user;
  bool operator==(const AssociateAccept&) const = default;
};

/// `body` is what follows the header of the PDU. Errors: malformed (kind "pdu": items that do not
/// add up, an item twice that stands once, none of one that must stand, a context ID that is even
/// or twice, a maximum length too short for a fragment; kinds "ae_title" and "uid"); unsupported
/// (kind "protocol": no bit for version 1).
[[nodiscard]] Result<AssociateRequest> read_associate_request(ByteView body);
[[nodiscard]] Result<AssociateAccept> read_associate_accept(ByteView body);

/// Adds the whole PDU. Errors: over_limit (longer than an A-ASSOCIATE may be), usage_invalid
/// (something that would be refused by the reader).
[[nodiscard]] Status write_associate_request(Bytes& to, const AssociateRequest& request);
[[nodiscard]] Status write_associate_accept(Bytes& to, const AssociateAccept& accept);

}  // namespace fiducia::dimse
