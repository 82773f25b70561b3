using System.Buffers.Text;
using System.Formats.Asn1;
using System.Text;
using System.Text.Json;
using Broker.Grains.Interfaces.Messages;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Broker.Gateway.Security.Sources.Jwt;

/// <summary>Takes clients by a signed token. What is no token is somebody else's business. [RFC 7515, RFC 7519]</summary>
internal sealed class JwtAuthenticator(IOptions<JwtOptions> options, PublishedKeys published, TimeProvider time) : IAuthenticator
{
    private static readonly string[] Algorithms = [.. from kind in new[] { "HS", "RS", "PS", "ES" } from digest in new[] { "256", "384", "512" } select kind + digest];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false }; // doubled names could mean one thing here and another to who made the token
    private readonly JwtOptions options = options.Value;
    private readonly JsonWebTokenHandler handler = new() { MaximumTokenSizeInBytes = 64 * 1024 };
    private readonly SecurityKey[] keys = JwtKeys.Read(options.Value);

    public string Name => "jwt";

    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        var text = options.From == "username" ? client.UserName : password is { } given ? Encoding.UTF8.GetString(given.Span) : null;
        if (string.IsNullOrEmpty(text) || TryRead(text) is not { } token || ClaimsOf(token) is not { } claims) return AuthenticationResult.Ignore;
        if (token.TryGetHeaderValue<object>("crit", out _)) return Deny("the token demands extensions that are not known"); // RFC 7515, 4.1.11
        var candidates = keys;
        if (published.IsConfigured && !string.IsNullOrEmpty(token.Kid))
        {
            if (await published.FindAsync(token.Kid) is not { } found) return AuthenticationResult.Deny(ReasonCode.ServerUnavailable, "the key set cannot be read");
            candidates = found;
        }

        if (candidates.Length == 0) return AuthenticationResult.Ignore;
        if (!await IsSignedAsync(token, candidates)) return Deny("the token's signature or algorithm is wrong");
        if (claims.FaultOfTimes(time.GetUtcNow()) is { } fault) return Deny(fault);
        if (claims.FindWrong(options.VerifyClaims, client) is { } claim) return Deny($"claim {claim} is wrong or missing");
        return AuthenticationResult.Allow(claims.ReadRules(options.AclClaim) is { } rules ? new ClientGrants { Rules = rules } : null);
    }

    private static AuthenticationResult Deny(string reason) => AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, reason);

    /// <returns>Null for what is no signed token.</returns>
    private JsonWebToken? TryRead(string text)
    {
        if (!handler.CanReadToken(text)) return null;
        try
        {
            var token = handler.ReadJsonWebToken(text);
            return token.IsEncrypted ? null : Rewritten(token);
        }
        catch (Exception fault) when (fault is ArgumentException or SecurityTokenException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Some write an ECDSA signature in DER, as EMQ X expects it: then the token as the standard has it. [RFC 7518, 3.4]</summary>
    private static JsonWebToken Rewritten(JsonWebToken token)
    {
        var half = token.Alg switch { "ES256" => 32, "ES384" => 48, "ES512" => 66, _ => 0 };
        var signature = Base64Url.DecodeFromChars(token.EncodedSignature);
        if (half == 0 || signature.Length == half * 2) return token;
        var raw = new byte[half * 2];
        try
        {
            var pair = new AsnReader(signature, AsnEncodingRules.DER).ReadSequence();
            for (var at = half; at <= raw.Length; at += half)
            {
                var number = pair.ReadInteger().ToByteArray(isUnsigned: true, isBigEndian: true);
                number.CopyTo(raw, at - number.Length);
            }
        }
        catch (Exception fault) when (fault is AsnContentException or ArgumentException or OverflowException)
        {
            return token; // no signature in either form: it will be found wrong
        }

        return new JsonWebToken($"{token.EncodedHeader}.{token.EncodedPayload}.{Base64Url.EncodeToString(raw)}");
    }

    private static JwtClaims? ClaimsOf(JsonWebToken token)
    {
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedPayload), Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object ? new JwtClaims(document.RootElement.Clone()) : null;
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            return null;
        }
    }

    private async ValueTask<bool> IsSignedAsync(JsonWebToken token, SecurityKey[] candidates) => (await handler.ValidateTokenAsync(token, new TokenValidationParameters
    {
        IssuerSigningKeys = candidates,
        ValidAlgorithms = Algorithms,
        RequireSignedTokens = true,
        RequireExpirationTime = false,
        ValidateLifetime = false, // by the broker's clock, below
        ValidateIssuer = false,
        ValidateAudience = false,
    })).IsValid;
}
