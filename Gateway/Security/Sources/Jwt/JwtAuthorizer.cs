namespace Broker.Gateway.Security.Sources.Jwt;

/// <summary>The rules that a client's token brought: an allow-list, which ends when the token does.</summary>
internal sealed class JwtAuthorizer(TimeProvider time) : IAuthorizer
{
    public string Name => "jwt";

    public ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        if (client.Rules is not { } granted) return default;
        return new(time.GetUtcNow() >= granted.Until
            ? new AuthorizationResult(AuthorizationVerdict.Deny, "the token has expired")
            : granted.Rules.Match(client, access, topic) with { Until = granted.Until });
    }
}
