using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Hooks;

/// <summary>Hook `client.authenticate` as a source of the authentication chain.</summary>
internal sealed class HookAuthenticator(BrokerHooks hooks) : IAuthenticator
{
    public const string SourceName = "hooks";

    public string Name => SourceName;

    public bool KnowsNobody => hooks.ClientAuthenticate.IsEmpty;

    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        var answer = await hooks.ClientAuthenticate.RunAsync(new AuthenticateRequest(client.ToContext(), password), null);
        if (answer is null) return AuthenticationResult.Ignore;
        return answer.IsAllowed
            ? AuthenticationResult.Allow(answer.IsSuperuser ? new ClientGrants { IsSuperuser = true } : null)
            : AuthenticationResult.Deny(answer.Code, answer.Reason ?? "a callback refuses");
    }
}

/// <summary>Hook `client.check_acl` as a source of access rules.</summary>
internal sealed class HookAuthorizer(BrokerHooks hooks) : IAuthorizer
{
    public string Name => HookAuthenticator.SourceName;

    public bool HasNoRules => hooks.ClientCheckAcl.IsEmpty;

    public async ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        return await hooks.ClientCheckAcl.RunAsync(new AccessRequest(client.ToContext(), access == TopicAccess.Publish, topic), null) switch
        {
            true => new AuthorizationResult(AuthorizationVerdict.Allow, "a callback allows"),
            false => new AuthorizationResult(AuthorizationVerdict.Deny, "a callback refuses"),
            null => default,
        };
    }
}

/// <summary>Tells hooks who comes and goes.</summary>
internal sealed class HookObserver(BrokerHooks hooks) : IClientObserver
{
    public void Connected(ClientInfo client)
    {
        if (!hooks.ClientConnected.IsEmpty) hooks.ClientConnected.Raise(client.ToContext());
    }

    public void Refused(ClientInfo client, ReasonCode code, string reason)
    {
        // `client.connack` says so.
    }

    public void Disconnected(ClientInfo client, string reason)
    {
        if (!hooks.ClientDisconnected.IsEmpty) hooks.ClientDisconnected.Raise(new ClientDisconnected(client.ToContext(), reason));
    }
}
