using Broker.Gateway.Alarms;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Alarms;

public class ControlGroupTests
{
    private readonly string mount = TestStore.NewFolder();

    [Fact]
    public void LimitIsTheTightestAround_InVersion2()
    {
        Write("memory.max", "max");
        Write("system.slice/memory.max", "1000");
        Write("system.slice/memory.current", "900");
        Write("system.slice/memory.stat", "anon 100\ninactive_file 300\nactive_file 7");
        Write("system.slice/broker.service/memory.max", "2000");
        Write("system.slice/broker.service/memory.current", "500");
        Write("system.slice/broker.service/pids.max", "4096");
        Write("system.slice/broker.service/pids.current", "40");
        Write("system.slice/cpu.max", "150000 100000");
        Write("system.slice/cpu.stat", "usage_usec 12345\nuser_usec 1");
        Write("system.slice/broker.service/cpu.max", "max 100000");
        var group = Group("0::/system.slice/broker.service");
        Assert.Equal((1000, 600), group.Memory());
        Assert.Equal((4096, 40), group.Tasks());
        Assert.Equal((1.5, 12345), group.Cpu());
    }

    [Fact]
    public void MountIsTheGroup_InAContainer()
    {
        Write("memory.max", "500");
        Write("memory.current", "100");
        Assert.Equal((500, 100), Group("0::/../../not/visible/here").Memory());
        Assert.Equal((500, 100), Group("0::/").Memory());
    }

    [Fact]
    public void LimitIsFound_InVersion1()
    {
        Write("memory/docker/x/memory.limit_in_bytes", "800");
        Write("memory/docker/x/memory.usage_in_bytes", "700");
        Write("memory/docker/x/memory.stat", "cache 1\ntotal_inactive_file 50");
        Write("memory/memory.limit_in_bytes", "9223372036854771712");
        Assert.Equal((800, 650), Group("12:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n1:name=systemd:/docker/x").Memory());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0::/nowhere")]
    [InlineData("garbage\n::\n0:x")]
    public void ThereIsNoLimit_WhenNothingSaysSo(string membership)
    {
        var group = Group(membership);
        Assert.Null(group.Memory());
        Assert.Null(group.Tasks());
        Assert.Null(group.Cpu());
        Assert.Null(new ControlGroup(mount, Path.Combine(mount, "missing")).Memory());
    }

    private ControlGroup Group(string membership)
    {
        Write("self", membership);
        return new ControlGroup(mount, Path.Combine(mount, "self"));
    }

    private void Write(string file, string text)
    {
        var path = Path.Combine(mount, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text + "\n");
    }
}
