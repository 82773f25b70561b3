using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Gateway.Security.Bans;

namespace Broker.Gateway.Admin.Resources;

/// <summary>A ban as EMQ X 4.x shows it; times in Unix seconds.</summary>
internal sealed record BanRow(string Who, string As, string Reason, string By, long At, long Until);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BanRow))]
internal sealed partial class BanRowJson : JsonSerializerContext;

/// <summary>`/banned`: who may not connect.</summary>
internal sealed class Banned(IBanList bans, BanTable table, TimeProvider time) : IApiResource
{
    private static readonly TimeSpan UsualTime = TimeSpan.FromMinutes(5);

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/banned", "list_banned", "Who may not connect", call => Task.FromResult(List(call))) { IsPaged = true },
        new("POST", "/banned", "create_banned", "Ban a client identifier, user name or address", BanAsync) { Members = ["who!", "as!", "reason", "by", "at", "until"] },
        new("DELETE", "/banned/{as}/{who}", "delete_banned", "Lift a ban", LiftAsync),
    ];

    private ApiAnswer List(ApiCall call)
    {
        var paging = call.Paging();
        var all = table.All.Where(one => one.Value.Until > time.GetUtcNow()).OrderByDescending(one => one.Version).ToArray();
        var rows = all.Skip((int)Math.Min(paging.Skip, int.MaxValue)).Take(paging.Limit).Select(one => JsonSerializer.SerializeToUtf8Bytes(RowOf(one.Value), BanRowJson.Default.BanRow)).ToArray();
        return ApiAnswer.Page(new ClusterPage(rows, all.Length, paging.Skip + rows.Length < all.Length, []), paging, tellsMore: false);
    }

    private async Task<ApiAnswer> BanAsync(ApiCall call)
    {
        string?[] given = [call.Find("who"), call.Find("as")];
        if (given is not [{ Length: > 0 } who, { Length: > 0 } kind]) return ApiAnswer.Fault(ResultCode.MissingParameter, "missing mandatory params: ['who', 'as']");
        var now = time.GetUtcNow();
        var at = Time(call, "at") ?? now;
        var ban = new Ban(KindOf(kind), who, call.Find("by") ?? "user", call.Find("reason") ?? "", at, Time(call, "until") ?? now + UsualTime);
        try
        {
            await bans.BanAsync(ban);
        }
        catch (FormatException wrong)
        {
            return ApiAnswer.Fault(ResultCode.BadParameter, wrong.Message);
        }

        return call.Body is { } body ? ApiAnswer.Data(body.WriteTo) : ApiAnswer.Data(RowOf(ban), BanRowJson.Default.BanRow);
    }

    private async Task<ApiAnswer> LiftAsync(ApiCall call)
    {
        await bans.UnbanAsync(KindOf(call.Path("as")), call.Path("who"));
        return ApiAnswer.Done;
    }

    private static BanRow RowOf(Ban ban) => new(ban.Who, NameOf(ban.Kind), ban.Reason, ban.By, ban.At.ToUnixTimeSeconds(), ban.Until.ToUnixTimeSeconds());

    /// <summary>What EMQ X calls a kind.</summary>
    internal static string NameOf(BanKind kind) => kind switch
    {
        BanKind.ClientId => "clientid",
        BanKind.UserName => "username",
        _ => "peerhost",
    };

    private static BanKind KindOf(string name) => name switch
    {
        "clientid" => BanKind.ClientId,
        "username" => BanKind.UserName,
        "peerhost" => BanKind.Address,
        _ => throw new ApiException(ResultCode.BadParameter, $"'{name}' is none of clientid, username, peerhost"),
    };

    private static DateTimeOffset? Time(ApiCall call, string name)
    {
        if (call.Find(name) is not { } text) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new ApiException(ResultCode.BadParameter, $"{name} must be a time in Unix seconds");
    }
}
