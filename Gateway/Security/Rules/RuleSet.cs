namespace Broker.Gateway.Security.Rules;

/// <summary>Rules in their order; the first that matches decides.</summary>
internal sealed class RuleSet
{
    public RuleSet(IReadOnlyList<Rule> rules) => throw new NotImplementedException();

    /// <summary>Ignore if no rule matches.</summary>
    public AuthorizationResult Match(ClientInfo client, TopicAccess access, string topic) => throw new NotImplementedException();
}
