using Broker.Gateway.Security.Passwords;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security.Sources;

/// <summary>Looks users up in a database and compares their passwords here.</summary>
internal sealed class StoreAuthenticator(string name, IUserStore store, PasswordHash hash, SourceGuard guard, SourceCache<StoredUser?> cache, bool ignoresOutages) : IAuthenticator
{
    private static readonly ClientGrants Superuser = new() { IsSuperuser = true };

    public string Name => name;

    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        if (!store.KnowsUsers || !store.MayKnow(client)) return AuthenticationResult.Ignore;
        StoredUser? user;
        try
        {
            user = await cache.GetAsync(store.KeyOf(client), () => guard.AskAsync(token => store.FindUserAsync(client, token)));
        }
        catch (SourceUnavailableException fault)
        {
            return ignoresOutages ? AuthenticationResult.Ignore : AuthenticationResult.Deny(ReasonCode.ServerUnavailable, fault.Message);
        }

        if (user is null) return AuthenticationResult.Ignore;
        if (password is not { } given) return AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, "no password");
        return user.Hash is not null && await hash.VerifyAsync(given, user.Hash, user.Salt)
            ? AuthenticationResult.Allow(user.IsSuperuser ? Superuser : null)
            : AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, "wrong password");
    }
}
