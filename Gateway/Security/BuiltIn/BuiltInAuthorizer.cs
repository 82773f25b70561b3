namespace Broker.Gateway.Security.BuiltIn;

/// <summary>The broker's own access rules: those of the client identifier, then of the user name, then of all.</summary>
internal sealed class BuiltInAuthorizer(BuiltInRules rules) : IAuthorizer
{
    public string Name => "built-in";

    public bool HasNoRules => rules.Count == 0;

    public ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        var result = rules.Match(RuleSubject.ClientId, client.ClientId, client, access, topic);
        if (result.Verdict == AuthorizationVerdict.Ignore && client.UserName is { } name) result = rules.Match(RuleSubject.UserName, name, client, access, topic);
        if (result.Verdict == AuthorizationVerdict.Ignore) result = rules.Match(RuleSubject.All, "", client, access, topic);
        return ValueTask.FromResult(result);
    }
}
