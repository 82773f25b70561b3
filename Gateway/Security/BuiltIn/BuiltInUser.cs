using System.Text.Json.Serialization;

namespace Broker.Gateway.Security.BuiltIn;

/// <summary>What is kept of one of the broker's own users.</summary>
/// <param name="Method">How the password is kept, as <see cref="Passwords.PasswordHash"/> names it.</param>
/// <param name="IsSuperuser">Access rules do not hold for it.</param>
/// <param name="CreatedAt">When it got its password, in Unix milliseconds.</param>
internal sealed record BuiltInUser(string Method, string Hash, string? Salt, bool IsSuperuser, long CreatedAt = 0);

/// <summary>What a user is known by.</summary>
internal enum UserKind
{
    UserName,
    ClientId,
}

[JsonSerializable(typeof(BuiltInUser))]
[JsonSerializable(typeof(BuiltInRule))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
internal sealed partial class BuiltInJson : JsonSerializerContext;
