using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security;

/// <summary>Access rules that a client brought with its credentials.</summary>
/// <param name="Until">When they end; null if never.</param>
internal sealed record GrantedRules(RuleSet Rules, DateTimeOffset? Until);
