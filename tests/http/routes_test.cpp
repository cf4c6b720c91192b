// SPDX-License-Identifier: Apache-2.0
#include "http/routes.h"

#include <gtest/gtest.h>

namespace fiducia::http {
namespace {

Handler named(std::string name) {
  return [name = std::move(name)](const Request& request) {
    std::string text = name;
    for (const auto& [key, value] : request.parameters) text += " " + key + "=" + value;
    return plain_response(200, text);
  };
}

Routes study_routes() {
  Routes routes;
  routes.add("GET", "/", named("root"))
      .add("GET", "/studies", named("search"))
      .add("POST", "/studies", named("store"))
      .add("GET", "/studies/{study}", named("study"))
      .add("GET", "/studies/{study}/series/{series}", named("series"))
      .add("GET", "/studies/{study}/metadata", named("metadata"))
      .add("GET", "/studies/recent", named("recent"))
      .add("HEAD", "/studies/recent", named("recent head"))
      .add("GET", "/files/{path...}", named("file"))
      .add("PUT", "/only", named("put"));
  return routes;
}

/// "200 NAME PARAMETERS", or the status and Allow.
std::string ask(const Routes& routes, std::string_view method, std::string_view path) {
  auto found = routes.find(method, path);
  if (auto* match = std::get_if<Routes::Match>(&found)) {
    Request request;
    request.parameters = match->parameters;
    const Response response = std::get<Handler>(match->route->handler)(request);
    const std::string_view text = as_text(response.body);
    return "200 " + std::string{text.substr(0, text.size() - 1)};
  }
  const Response& response = std::get<Response>(found);
  const auto allow = find_header(response.headers, "allow");
  return std::to_string(response.status) + (allow ? " " + std::string{*allow} : "");
}

TEST(Routes, finds_handlers_and_parameters) {
  const Routes routes = study_routes();
  EXPECT_EQ(ask(routes, "GET", "/"), "200 root");
  EXPECT_EQ(ask(routes, "GET", "/studies"), "200 search");
  EXPECT_EQ(ask(routes, "POST", "/studies"), "200 store");
  EXPECT_EQ(ask(routes, "GET", "/studies/1.2.3"), "200 study study=1.2.3");
  EXPECT_EQ(ask(routes, "GET", "/studies/recent"), "200 recent") << "the exact one";
  EXPECT_EQ(ask(routes, "GET", "/studies/1/series/2"), "200 series study=1 series=2");
  EXPECT_EQ(ask(routes, "GET", "/studies/1/metadata"), "200 metadata study=1");
  EXPECT_EQ(ask(routes, "GET", "/files/a/b/c"), "200 file path=a/b/c");
}

TEST(Routes, compares_paths_decoded) {
  const Routes routes = study_routes();
  EXPECT_EQ(ask(routes, "GET", "/%73tudies/a%20b"), "200 study study=a b");
  EXPECT_EQ(ask(routes, "GET", "/studies/%C3%A4"), "200 study study=\xC3\xA4");
}

TEST(Routes, gives_no_parameter_that_leads_elsewhere) {
  const Routes routes = study_routes();
  for (const char* path :
       {"/studies/..", "/studies/.", "/studies/%2e%2e", "/studies/a%2Fb", "/studies/", "/files/",
        "/files/../a", "/files/a/%2E%2e", "/files/a//b", "/files/a%2f..", "/nothing",
        "/studies/1/series", "/studies/1/series/2/3", "//studies"})
    EXPECT_EQ(ask(routes, "GET", path), "404") << path;
  for (const char* path :
       {"/studies/%", "/studies/%2", "/studies/%zz", "/studies/%00", "/%0a", "/studies/%7F"})
    EXPECT_EQ(ask(routes, "GET", path), "400") << path;
}

TEST(Routes, says_which_methods_are_allowed) {
  const Routes routes = study_routes();
  EXPECT_EQ(ask(routes, "DELETE", "/studies"), "405 GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(ask(routes, "GET", "/only"), "405 OPTIONS, PUT");
  EXPECT_EQ(ask(routes, "HEAD", "/only"), "405 OPTIONS, PUT");
  EXPECT_EQ(ask(routes, "get", "/studies"), "405 GET, HEAD, OPTIONS, POST")
      << "methods have a case";
  EXPECT_EQ(ask(routes, "OPTIONS", "/studies"), "204 GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(ask(routes, "OPTIONS", "/nothing"), "404");
  EXPECT_EQ(ask(routes, "HEAD", "/studies/1"), "200 study study=1");
  EXPECT_EQ(ask(routes, "HEAD", "/studies/recent"), "200 recent head");
  EXPECT_EQ(find_header(routes.options().headers, "allow"), "GET, HEAD, OPTIONS, POST, PUT");
}

TEST(Routes, leaves_the_rest_to_one_handler) {
  Routes routes;
  routes.add("GET", "/a", named("a")).add_rest(named("rest"));
  EXPECT_EQ(ask(routes, "GET", "/a"), "200 a");
  for (const char* path : {"/b", "/..", "/%", "/a/b"})
    EXPECT_EQ(ask(routes, "GET", path), "200 rest");
  EXPECT_EQ(ask(routes, "OPTIONS", "/a"), "200 rest");
}

}  // namespace
}  // namespace fiducia::http
