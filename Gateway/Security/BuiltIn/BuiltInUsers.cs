using System.Collections.Concurrent;
using Broker.Gateway.Records;
using Broker.Gateway.Security.Passwords;

namespace Broker.Gateway.Security.BuiltIn;

/// <summary>The broker's own users, as this process knows them.</summary>
internal sealed class BuiltInUsers() : RecordTable<BuiltInUser>("user", BuiltInJson.Default.BuiltInUser)
{
    private readonly ConcurrentDictionary<string, PasswordHash?> methods = new(StringComparer.Ordinal);

    public BuiltInUser? Find(UserKind kind, string name) => Find(KeyOf(kind, name))?.Value;

    /// <summary>A user's key in the store.</summary>
    public static string KeyOf(UserKind kind, string name) => $"{kind}/{name}";

    /// <summary>The name in a key; null if it is of another kind.</summary>
    public static string? NameOf(string key, UserKind kind) => key.StartsWith($"{kind}/", StringComparison.Ordinal) ? key[(kind.ToString().Length + 1)..] : null;

    protected override string? FaultOf(string key, BuiltInUser value) =>
        NameOf(key, UserKind.UserName) is null && NameOf(key, UserKind.ClientId) is null ? "the key names nobody"
        : value.Hash is null || !PasswordHash.TryParse(value.Method, out _) ? "the password is kept in no known form" : null;

    /// <summary>Whether a password is the user's.</summary>
    public ValueTask<bool> VerifyAsync(BuiltInUser user, ReadOnlyMemory<byte> password)
    {
        var method = methods.GetOrAdd(user.Method, static text => PasswordHash.TryParse(text, out var hash) ? hash : null);
        return method?.VerifyAsync(password, user.Hash, user.Salt) ?? ValueTask.FromResult(false);
    }
}
