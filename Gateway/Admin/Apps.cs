using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Links;
using Broker.Gateway.Records;
using Broker.Gateway.Security.Passwords;
using Broker.Grains.Interfaces.Records;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin;

/// <summary>Knows which applications may call the HTTP API. At the start it makes the first one.</summary>
internal sealed class Apps(AppTable table, RecordFeed records, IOptions<ManagementOptions> options, TimeProvider time) : IHostedService
{
    private static readonly PasswordHash Hash = PasswordHash.Parse("pbkdf2,sha256,10000,32");

    /// <summary>Digests of the secrets that were right, so that a call costs a digest and not the slow hash.</summary>
    private readonly ConcurrentDictionary<string, (long Version, byte[] Digest)> verified = new(StringComparer.Ordinal);
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);

    /// <summary>Whether applications are known; before that nobody can be let in.</summary>
    public bool IsReady { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (table.Count == 0) await MakeFirstAsync();
        IsReady = true;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether an application is the one it says, and may call now from there.</summary>
    public async ValueTask<bool> VerifyAsync(string id, string secret, IPAddress? from)
    {
        if (table.Find(id) is not { Value: { Enabled: true } app } entry) return false;
        if (app.Expires < time.GetUtcNow().ToUnixTimeSeconds()) return false;
        if (app.IsPreset && from is not null && !IPAddress.IsLoopback(from)) return false;
        var bytes = Encoding.UTF8.GetBytes(secret);
        var digest = HMACSHA256.HashData(key, bytes);
        if (verified.TryGetValue(id, out var known) && known.Version == entry.Version && CryptographicOperations.FixedTimeEquals(known.Digest, digest)) return true;
        if (!await Hash.VerifyAsync(bytes, app.Hash, app.Salt)) return false;
        verified[id] = (entry.Version, digest);
        return true;
    }

    private async Task MakeFirstAsync()
    {
        var preset = options.Value;
        var (hash, salt) = Hash.Make(Encoding.UTF8.GetBytes(preset.DefaultApplicationSecret));
        var app = new App("Default", "Application that was made at the first start", Enabled: true, null, hash, salt, preset.DefaultApplicationSecret == ManagementOptions.UsualSecret);
        await GrainCalls.InsistAsync(() => records.WriteAsync(table.Put(preset.DefaultApplicationId, app, RecordCondition.IfAbsent)), time);
    }
}
