using Broker.Gateway.Security.Sources.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Broker.Gateway.Security.Sources.Jwt;

/// <summary>The keys of a published key set, read again from time to time. While it cannot be read the keys that were there stay. Thread-safe.</summary>
/// <remarks>Rotation: a token that names a key nobody knows makes it read the set at once, but not more often than <see cref="LeastPause"/>: anybody can make up names of keys.</remarks>
internal sealed partial class PublishedKeys(IOptions<JwtOptions> options, TimeProvider time, ILogger<PublishedKeys> log) : BackgroundService
{
    /// <summary>Between the end of one read and the beginning of the next that an unknown key may cause.</summary>
    public static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(5);

    private const int LongestSet = 256 * 1024; // some hundred keys, their certificates among them
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly Lock gate = new();
    private readonly HttpService service = new(options.Value, poolSize: 1, Timeout);
    private volatile SecurityKey[]? keys;
    private volatile bool isFailing;
    private Task? reading;
    private long? lastRead;

    /// <summary>Whether there is an address to read.</summary>
    public bool IsConfigured => options.Value.JwksUrl.Length > 0;

    /// <summary>The last read has failed.</summary>
    public bool IsFailing => isFailing;

    /// <summary>The keys of a name.</summary>
    /// <returns>None if there are none; null if that is not known, because the set cannot be read.</returns>
    public async ValueTask<SecurityKey[]?> FindAsync(string id)
    {
        var found = Find(id);
        if (found.Length > 0) return found;
        if (MayReadNow() is { } read)
        {
            await read;
            found = Find(id);
        }

        return found.Length > 0 || (keys is not null && !isFailing) ? found : null;
    }

    public override void Dispose()
    {
        service.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!IsConfigured) return;
        using var timer = new PeriodicTimer(options.Value.JwksRefreshInterval, time);
        try
        {
            do await ReadOnce();
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private SecurityKey[] Find(string id) => keys is { } known ? Array.FindAll(known, key => key.KeyId == id) : [];

    /// <summary>The read that is under way, or a new one if the last is long enough ago; null if not.</summary>
    private Task? MayReadNow()
    {
        lock (gate)
        {
            return reading ?? (lastRead is { } last && time.GetElapsedTime(last) < LeastPause ? null : ReadOnce());
        }
    }

    private Task ReadOnce()
    {
        lock (gate)
        {
            // Its end sets this to null: it may not come before the task is known here.
            return reading ??= Task.Run(ReadAsync);
        }
    }

    private async Task ReadAsync()
    {
        var url = options.Value.JwksUrl;
        try
        {
            using var deadline = new CancellationTokenSource(Timeout);
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            var (status, body) = await service.AskAsync(request, LongestSet, deadline.Token);
            if ((int)status != 200) throw new HttpRequestException($"the answer is {(int)status}");
            var read = JwtKeys.ReadSet(body);
            keys = read;
            if (isFailing) LogBack(url, read.Length);
            isFailing = false;
        }
        catch (Exception fault) // whatever an address can answer
        {
            if (!isFailing) LogFailed(url, fault.GetBaseException().Message);
            isFailing = true;
        }
        finally
        {
            lock (gate) (reading, lastRead) = (null, time.GetTimestamp());
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The key set {Url} cannot be read: {Fault}. Until it can the keys stay as they were")]
    private partial void LogFailed(string url, string fault);

    [LoggerMessage(2, LogLevel.Information, "The key set {Url} is back with {Count} keys")]
    private partial void LogBack(string url, int count);
}
