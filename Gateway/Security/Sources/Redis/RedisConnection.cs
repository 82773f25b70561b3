using StackExchange.Redis;

namespace Broker.Gateway.Security.Sources.Redis;

/// <summary>The one connection, over which all queries go; it comes back by itself. Opened when it is first needed.</summary>
internal sealed class RedisConnection(RedisOptions options) : IAsyncDisposable
{
    public const int UsualPort = 6379;
    public const int UsualSentinelPort = 26379;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private readonly ConfigurationOptions configuration = Configure(options);
    private readonly SemaphoreSlim opening = new(1);
    private volatile ConnectionMultiplexer? open;

    /// <summary>Its database.</summary>
    /// <exception cref="RedisException">No sentinel answers.</exception>
    public async Task<IDatabase> OpenAsync(CancellationToken cancellation)
    {
        if (open is { } ready) return ready.GetDatabase();
        await opening.WaitAsync(cancellation);
        try
        {
            // Of a server that does not answer, too, there is a connection: it goes on trying.
            open ??= await ConnectionMultiplexer.ConnectAsync(configuration);
            return open.GetDatabase();
        }
        finally
        {
            opening.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (open is { } ready) await ready.DisposeAsync();
        opening.Dispose();
    }

    private static ConfigurationOptions Configure(RedisOptions options)
    {
        var configuration = new ConfigurationOptions
        {
            ServiceName = options.Type == "sentinel" ? options.Sentinel : null,
            User = NullIfEmpty(options.UserName),
            Password = NullIfEmpty(options.ReadPassword()),
            DefaultDatabase = options.Database,
            ClientName = "broker",
            AbortOnConnectFail = false,
            BacklogPolicy = BacklogPolicy.FailFast, // who connects waits for an answer, not for a server
            ReconnectRetryPolicy = new LinearRetry((int)Pause.TotalMilliseconds),
            HeartbeatInterval = Pause,
            AsyncTimeout = (int)options.QueryTimeout.TotalMilliseconds,
            ConnectTimeout = (int)options.QueryTimeout.TotalMilliseconds,
            Ssl = options.Tls != "off",
        };
        foreach (var (host, port) in options.Servers(options.Type == "sentinel" ? UsualSentinelPort : UsualPort)) configuration.EndPoints.Add(host, port);
        if (configuration.Ssl) configuration.SslClientAuthenticationOptions = host => TlsClient.Make(options, host);
        return configuration;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
