using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security.Sources.Http;

/// <summary>Asks a web service who may connect and what it may do. As in EMQ X clients whose user name begins with `$` are not asked about access.</summary>
/// <param name="time">For what is remembered.</param>
internal sealed class HttpSource(HttpOptions options, SourceGuard guard, TimeProvider time) : IAuthenticator, IAuthorizer, IDisposable
{
    private const int LongestAnswer = 4096;
    private static readonly ClientGrants Superuser = new() { IsSuperuser = true };
    private readonly HttpService service = new(options, options.PoolSize, options.QueryTimeout);
    private readonly RequestTemplate? auth = Template(options.Auth, RequestTemplate.AuthLetters);
    private readonly RequestTemplate? super = Template(options.Super, RequestTemplate.AuthLetters);
    private readonly RequestTemplate? acl = Template(options.Acl, RequestTemplate.AclLetters);
    private readonly SourceCache<AuthenticationResult> users = new(options.CacheSize, options.UserCacheTime, time);
    private readonly SourceCache<AuthorizationResult> rules = new(options.CacheSize, options.RuleCacheTime, time);

    /// <summary>Passwords are in the keys of what is remembered: they are kept as digests that are worth nothing elsewhere.</summary>
    private readonly byte[] keyOfKeys = RandomNumberGenerator.GetBytes(32);

    public string Name => "http";

    public bool HasNoRules => acl is null;

    /// <summary>What is wrong with settings beside those that all sources have.</summary>
    public static IEnumerable<(string Key, string Fault)> Faults(HttpOptions options) =>
    [
        .. RequestTemplate.Faults(nameof(options.Auth), options.Auth, RequestTemplate.AuthLetters),
        .. RequestTemplate.Faults(nameof(options.Super), options.Super, RequestTemplate.AuthLetters),
        .. RequestTemplate.Faults(nameof(options.Acl), options.Acl, RequestTemplate.AclLetters),
    ];

    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        if (auth is null) return AuthenticationResult.Ignore;
        var text = password is { } given ? Encoding.UTF8.GetString(given.Span) : null;
        var values = auth.Fill(letter => letter == 'P' ? text : Placeholders.Resolve(letter, client));
        var superValues = super?.Fill(letter => letter == 'P' ? text : Placeholders.Resolve(letter, client)) ?? [];
        try
        {
            return await users.GetAsync(KeyOf([.. values, .. superValues]), () => guard.AskAsync(token => AskUserAsync(auth, values, superValues, token)));
        }
        catch (SourceUnavailableException fault)
        {
            return options.IgnoresOutages ? AuthenticationResult.Ignore : AuthenticationResult.Deny(ReasonCode.ServerUnavailable, fault.Message);
        }
    }

    public async ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        if (acl is null || client.UserName is ['$', ..]) return default;
        var values = acl.Fill(letter => letter switch
        {
            'A' => access == TopicAccess.Subscribe ? "1" : "2",
            't' => topic,
            _ => Placeholders.Resolve(letter, client),
        });
        try
        {
            return await rules.GetAsync(KeyOf(values), () => guard.AskAsync(token => AskAccessAsync(acl, values, token)));
        }
        catch (SourceUnavailableException fault)
        {
            return new AuthorizationResult(options.IgnoresOutages ? AuthorizationVerdict.Ignore : AuthorizationVerdict.Deny, fault.Message) { IsPassing = true };
        }
    }

    public void Dispose() => service.Dispose();

    private static RequestTemplate? Template(HttpRequestOptions options, string letters) => options.Url.Length == 0 ? null : new RequestTemplate(options, letters);

    private static bool IsIgnore(byte[] body) => body.AsSpan().SequenceEqual("ignore"u8);

    /// <summary>The answer may give the client a mountpoint.</summary>
    private static string? MountpointIn(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("mountpoint", out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return null; // the answer is a text, or nothing: that is usual
        }
    }

    /// <exception cref="HttpRequestException">The service fails, or its answer makes no sense: that is an outage.</exception>
    private static HttpRequestException Senseless(HttpStatusCode status) => new($"the answer is {(int)status}");

    private string KeyOf(KeyValuePair<string, string>[] values) =>
        Convert.ToHexString(HMACSHA256.HashData(keyOfKeys, Encoding.UTF8.GetBytes(CacheKey.Of(values.Select(one => one.Value)))));

    private async Task<AuthenticationResult> AskUserAsync(RequestTemplate request, KeyValuePair<string, string>[] values, KeyValuePair<string, string>[] superValues, CancellationToken cancellation)
    {
        using var question = request.Make(values);
        var (status, body) = await service.AskAsync(question, LongestAnswer, cancellation);
        switch (status)
        {
            case HttpStatusCode.OK when IsIgnore(body):
                return AuthenticationResult.Ignore;
            case HttpStatusCode.OK:
                var isSuperuser = super is not null && await IsSuperuserAsync(super, superValues, cancellation);
                var mountpoint = MountpointIn(body);
                return AuthenticationResult.Allow(mountpoint is not null ? new ClientGrants { IsSuperuser = isSuperuser, Mountpoint = mountpoint } : isSuperuser ? Superuser : null);
            case HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized:
                return AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, $"the answer is {(int)status}");
            case HttpStatusCode.Forbidden:
                return AuthenticationResult.Deny(ReasonCode.NotAuthorized, "the answer is 403");
            case HttpStatusCode.TooManyRequests:
                return AuthenticationResult.Deny(ReasonCode.Banned, "the answer is 429");
            case HttpStatusCode.GatewayTimeout:
                return AuthenticationResult.Deny(ReasonCode.ServerBusy, "the answer is 504");
            default:
                throw Senseless(status);
        }
    }

    private async Task<bool> IsSuperuserAsync(RequestTemplate request, KeyValuePair<string, string>[] values, CancellationToken cancellation)
    {
        using var question = request.Make(values);
        var (status, _) = await service.AskAsync(question, LongestAnswer, cancellation);
        return status == HttpStatusCode.OK;
    }

    private async Task<AuthorizationResult> AskAccessAsync(RequestTemplate request, KeyValuePair<string, string>[] values, CancellationToken cancellation)
    {
        using var question = request.Make(values);
        var (status, body) = await service.AskAsync(question, LongestAnswer, cancellation);
        return status switch
        {
            HttpStatusCode.OK => IsIgnore(body) ? default : new AuthorizationResult(AuthorizationVerdict.Allow, "the answer is 200"),
            >= HttpStatusCode.InternalServerError => throw Senseless(status),
            _ => new AuthorizationResult(AuthorizationVerdict.Deny, $"the answer is {(int)status}"),
        };
    }
}
