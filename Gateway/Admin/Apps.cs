using Broker.Gateway.Links;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin;

/// <summary>The applications that may call the HTTP API on the admin port.</summary>
internal sealed class Apps(AppTable table, Secrets secrets, RecordFeed records, IOptions<ManagementOptions> options, TimeProvider time)
{
    /// <summary>Makes the first one, if there is none.</summary>
    public async Task BeginAsync()
    {
        if (table.Count > 0) return;
        var preset = options.Value;
        var (hash, salt) = Secrets.Keep(preset.DefaultApplicationSecret);
        var app = new App("Default", "Application that was made at the first start", Enabled: true, null, hash, salt, preset.DefaultApplicationSecret == ManagementOptions.UsualSecret);
        await GrainCalls.InsistAsync(() => records.WriteAsync(table.Put(preset.DefaultApplicationId, app, RecordCondition.IfAbsent)), time);
    }

    /// <summary>Whether an application is the one it says, and may call now from there. A no takes as long whatever its reason.</summary>
    /// <param name="isLocal">It calls from this machine.</param>
    public ValueTask<bool> VerifyAsync(string id, string secret, bool isLocal) =>
        table.Find(id) is { Value: { Enabled: true } app } entry && !(app.Expires < time.GetUtcNow().ToUnixTimeSeconds()) && (isLocal || !app.IsPreset)
            ? secrets.VerifyAsync($"app:{id}", entry.Version, secret, app.Hash, app.Salt)
            : secrets.RefuseAsync(secret);
}
