using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Broker.Tests.Unit.Deploy;

/// <summary>What `deploy/local-cluster.sh` refuses before it has started anything.</summary>
public class LocalClusterScriptTests
{
    private static readonly string Script = Path.Combine(SourceTree.Root, "deploy/local-cluster.sh");

    [Fact]
    public void ScriptIsRead_WhenItsSyntaxIsChecked() => Assert.Equal((0, ""), DeployTree.Run("bash", "-n", Script));

    [Theory]
    [InlineData("How many nodes?")]
    [InlineData("Unknown: x.", "x")]
    [InlineData("Unknown: 0.", "0")]
    [InlineData("N needs a number, not '2x'.", "2x")]
    [InlineData("--front-ends needs a number, not ''.", "2", "--front-ends")]
    [InlineData("--mqtt-port needs a number, not 'a'.", "2", "--mqtt-port", "a")]
    [InlineData("--mqtt-port 65535 is too high for 2 ports.", "2", "--mqtt-port", "65535")]
    [InlineData("--data needs a value.", "2", "--data")]
    public void SaysWhatIsWrong_WhenArgumentsAre(string said, params string[] arguments) => AssertRefused(said, arguments);

    [Fact]
    public void SaysWhichPort_WhenOneIsTaken()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var port = ((IPEndPoint)other.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);
        AssertRefused($"Port {port} is taken. Take others with --mqtt-port PORT.", "1", "--mqtt-port", port);
    }

    /// <summary>Exit code 1 and one line.</summary>
    private static void AssertRefused(string said, params string[] arguments)
    {
        var (code, output) = DeployTree.Run("bash", [Script, .. arguments])!.Value;
        Assert.Equal(1, code);
        Assert.StartsWith(said, Assert.Single(output.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }
}
