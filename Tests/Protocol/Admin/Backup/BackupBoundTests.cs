using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Broker.Gateway.Security.BuiltIn;
using Broker.Grains.Interfaces.Messages;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Backup;

/// <summary>How large documents may be, how many there may be, and how long a large one takes.</summary>
public sealed class BackupBoundTests
{
    [Fact]
    public async Task DocumentsAreBounded_InSizeAndNumber()
    {
        var folder = Directory.CreateTempSubdirectory("broker-backup-");
        try
        {
            await using var broker = await Restored.StartAsync(("Management:BackupDirectory", folder.FullName), ("Management:MaxBackupBytes", "1048576"), ("Management:MaxBackups", "2"));
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await broker.Api.SendAsync("POST", "/data/import", $$"""{"version":"4.3","more":"{{new string('x', 1_048_576)}}"}""")).Status);
            var large = await broker.Api.CallAsync("POST", "/data/file", $$"""{"filename":"large.json","file":"\"{{new string('x', 1_048_576)}}\""}""");
            Assert.StartsWith("too_large", large.GetProperty("message").GetString(), StringComparison.Ordinal);
            for (var i = 0; i < 2; i++) await broker.Api.SucceedAsync("POST", "/data/export");
            var refused = await broker.Api.CallAsync("POST", "/data/export");
            Assert.StartsWith("too_many_files", refused.GetProperty("message").GetString(), StringComparison.Ordinal);
            var files = folder.GetFiles("*", SearchOption.AllDirectories); // nothing unfinished is left
            Assert.Equal(2, files.Length);
            if (!OperatingSystem.IsWindows()) Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode));
            // Somebody put one there that is too large to be taken.
            await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "huge.json"), new byte[1_048_577]);
            Assert.Equal("too_large", (await broker.Api.CallAsync("GET", "/data/file/huge.json")).GetProperty("message").GetString());
            Assert.Equal("too_large", (await broker.Api.CallAsync("POST", "/data/import", """{"filename":"huge.json"}""")).GetProperty("message").GetString());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task ManyUsersAreImported()
    {
        const int count = 20_000;
        var text = new StringBuilder("""{"version":"4.3","auth_mnesia":[""");
        for (var i = 0; i < count; i++)
        {
            if (i > 0) text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $$"""{"login":"device-{{i}}","type":"clientid","password":"AQIDBDdlZTAzMjlhZGE0NjU0OTU0NzY0NGQ3ZjBjMjYxZDU5NTg1NzQ1NDRhNGQ5MTBkNjQ5MDQ5NzY1Y2I2OTM0ZGM=","created_at":1653360665243}""");
        }

        var document = text.Append("]}").ToString();
        await using var broker = await Restored.StartAsync();
        await broker.Api.SucceedAsync("GET", "/stats");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clock = Stopwatch.StartNew();
        await broker.Api.SucceedAsync("POST", "/data/import", document);
        var (took, grown) = (clock.Elapsed, GC.GetTotalMemory(forceFullCollection: true) - before);
        Assert.Equal(count, broker.Broker.Services.GetRequiredService<BuiltInUsers>().Count);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await broker.LogInAsync($"device-{count - 1}", null, "wrong"));
        clock.Restart();
        var file = await broker.Api.SucceedAsync("POST", "/data/export");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{document.Length / 1024} KiB imported in {took.TotalSeconds:F1} s, {grown / 1024} KiB are held; {file.GetProperty("size").GetInt64() / 1024} KiB exported in {clock.Elapsed.TotalSeconds:F1} s");
        Assert.True(took < TimeSpan.FromSeconds(30), $"{took}");
        Assert.True(grown < 100L * 1024 * 1024, $"{grown}");
    }
}
