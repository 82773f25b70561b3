using System.Diagnostics;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Cli;

/// <summary>What shells offer.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("clients ", "history kick list show")]
    [InlineData("clients k", "kick")]
    [InlineData("subscriptions add c t ", "0 1 2")]
    [InlineData("clients list --st", "--state")]
    [InlineData("clients list --state ", "connected disconnected")]
    [InlineData("completion z", "zsh")]
    [InlineData("sasl scram l", "list lookup")]
    [InlineData("bench p", "pub pubsub")]
    [InlineData("bench conn --if", "--ifaddr")]
    [InlineData("listeners restart x --n", "--node")]
    [InlineData("nothing k", "")]
    public async Task CommandsAndOptionsAreOffered(string words, string expected) =>
        Assert.Equal(expected, string.Join(' ', (await Ctl.SucceedAsync(["complete", .. words.Split(' ')])).Order(StringComparer.Ordinal)));

    [Fact]
    public async Task ValuesAreOffered_WhenTheBrokerKnowsThem()
    {
        using var api = new ScriptedApi();
        api.Answer("GET /api/v4/clients?_limit=50&_like_clientid=de", """{"code":0,"data":[{"clientid":"dev1"},{"clientid":"dev2"},{"clientid":"abcde"}]}""");
        api.Answer("GET /api/v4/listeners", """{"code":0,"data":[{"node":"a","listeners":[{"identifier":"mqtt:tcp:x"}]},{"node":"b","listeners":[{"identifier":"mqtt:tcp:x"}]}]}""");
        Assert.Equal(["dev1", "dev2"], await Ctl.SucceedAsync("complete", "--url", api.Url, "clients", "kick", "de"));
        Assert.Equal(["mqtt:tcp:x"], await Ctl.SucceedAsync("complete", "--url", api.Url, "listeners", "restart", ""));
        api.Answer("GET /api/v4/listeners", "UNAUTHORIZED", 401);
        Assert.Empty(await Ctl.SucceedAsync("complete", "--url", api.Url, "listeners", "restart", ""));
    }

    [Theory]
    [InlineData("bash", "-n")]
    [InlineData("zsh", "-n")]
    [InlineData("fish", "--no-execute")]
    public async Task ShellReadsTheScript_WhenInstalled(string shell, string check)
    {
        var script = await WriteAsync(shell, "");
        try
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, shell))), $"{shell} is not installed");
            Assert.Equal((0, ""), await RunAsync(shell, check, script));
        }
        finally
        {
            File.Delete(script);
        }
    }

    /// <summary>With a `broker` that writes down what it was asked.</summary>
    [Theory]
    [InlineData("broker ", "ctl")]
    [InlineData("broker ctl clients k", "asked|clients|k")]
    [InlineData("broker ctl clients ", "asked|clients|")]
    [InlineData("broker ctl listeners restart mqtt:tcp:e", "e|ext")]
    public async Task BashAsksForTheWordsSoFar(string line, string expected)
    {
        var script = await WriteAsync("bash", $$"""

            broker() {
                shift 2
                if [ "$1" = listeners ]; then echo "mqtt:tcp:e|ext"; return; fi
                local IFS='|'
                echo "asked|$*"
            }
            COMP_WORDBREAKS=' :='
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            _broker
            printf '%s\n' "${COMPREPLY[@]}"
            """);
        try
        {
            Assert.Equal((0, expected), await RunAsync("bash", script));
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static async Task<string> WriteAsync(string shell, string more)
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, string.Join('\n', await Ctl.SucceedAsync("completion", shell)) + more);
        return path;
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return (process.ExitCode, (await output + await error).TrimEnd('\n'));
    }
}
