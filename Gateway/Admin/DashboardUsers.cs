using System.Net;
using System.Text.Json.Serialization;
using Broker.Gateway.Links;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin;

/// <summary>Somebody who may use the dashboard.</summary>
/// <param name="Tags">A remark.</param>
/// <param name="Hash">Of the password.</param>
/// <param name="IsPreset">It is the password that everybody knows.</param>
/// <param name="Method">How the password is kept if it came from elsewhere, as <see cref="Security.Passwords.PasswordHash"/> names it.</param>
internal sealed record DashboardUser(string Tags, string Hash, string? Salt, bool IsPreset = false, string? Method = null);

/// <summary>The dashboard's users by their names.</summary>
internal sealed class DashboardUserTable() : RecordTable<DashboardUser>("dashboard_user", DashboardUserJson.Default.DashboardUser)
{
    protected override string? FaultOf(string key, DashboardUser value) =>
        value is { Tags: not null, Hash: not null } && (value.Method is null || Security.Passwords.PasswordHash.TryParse(value.Method, out _)) ? null : "a member is missing or wrong";
}

[JsonSerializable(typeof(DashboardUser))]
internal sealed partial class DashboardUserJson : JsonSerializerContext;

/// <summary>The people who may call the HTTP API on the dashboard's port.</summary>
internal sealed class DashboardUsers(DashboardUserTable table, Secrets secrets, RecordFeed records, IOptions<ManagementOptions> options, TimeProvider time)
{
    /// <summary>Makes the first one, if there is none.</summary>
    public async Task BeginAsync()
    {
        if (table.Count > 0) return;
        var preset = options.Value;
        await GrainCalls.InsistAsync(() => records.WriteAsync(table.Put(preset.DefaultUser, Make("administrator", preset.DefaultPassword), RecordCondition.IfAbsent)), time);
    }

    /// <summary>A user with this password.</summary>
    public static DashboardUser Make(string tags, string password)
    {
        var (hash, salt) = Secrets.Keep(password);
        return new DashboardUser(tags, hash, salt, password == ManagementOptions.UsualSecret);
    }

    /// <summary>Whether a user is who it says, and may come from there.</summary>
    public async ValueTask<bool> VerifyAsync(string name, string password, IPAddress? from)
    {
        if (table.Find(name) is not { Value: { } user } entry) return false;
        if (user.IsPreset && from is not null && !IPAddress.IsLoopback(from)) return false;
        return await secrets.VerifyAsync($"user:{name}", entry.Version, password, user.Hash, user.Salt, user.Method);
    }
}
