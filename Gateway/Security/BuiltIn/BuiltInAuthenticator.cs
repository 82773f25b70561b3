using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security.BuiltIn;

/// <summary>The broker's own users: a client is known by its client identifier or its user name; the password of either will do.</summary>
internal sealed class BuiltInAuthenticator(BuiltInUsers users) : IAuthenticator
{
    private static readonly ClientGrants Superuser = new() { IsSuperuser = true };

    public string Name => "built-in";

    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        if (users.Count == 0) return AuthenticationResult.Ignore;
        var byId = users.Find(UserKind.ClientId, client.ClientId);
        var byName = client.UserName is { } name ? users.Find(UserKind.UserName, name) : null;
        if (byId is null && byName is null) return AuthenticationResult.Ignore;
        if (password is { } given)
        {
            foreach (var user in new[] { byId, byName })
            {
                if (user is not null && await users.VerifyAsync(user, given)) return AuthenticationResult.Allow(user.IsSuperuser ? Superuser : null);
            }
        }

        return AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, password is null ? "no password" : "wrong password");
    }
}
