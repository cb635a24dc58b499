// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Two push buttons for the kernel's own gpio-keys driver, as `dtoverlay=gpio-key` makes them on a Pi: active low,
 * no debounce. `lines` are the kernel's numbers of the GPIO lines; the keys are KEY_1 and KEY_2.
 */
#include <linux/gpio_keys.h>
#include <linux/input-event-codes.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static int lines[2];
module_param_array(lines, int, NULL, 0444);

static struct gpio_keys_button buttons[] = {
	{ .code = KEY_1, .active_low = 1, .desc = "key 1" },
	{ .code = KEY_2, .active_low = 1, .desc = "key 2" },
};

static const struct gpio_keys_platform_data keys = {
	.buttons = buttons,
	.nbuttons = ARRAY_SIZE(buttons),
	.name = "virtual-keys",
};

static struct platform_device *device;

static int __init virtual_keys_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(buttons); i++)
		buttons[i].gpio = lines[i];
	device = platform_device_register_data(NULL, "gpio-keys", PLATFORM_DEVID_AUTO, &keys, sizeof(keys));
	return PTR_ERR_OR_ZERO(device);
}

static void __exit virtual_keys_exit(void)
{
	platform_device_unregister(device);
}

module_init(virtual_keys_init);
module_exit(virtual_keys_exit);
MODULE_DESCRIPTION("Push buttons on GPIO lines");
MODULE_LICENSE("GPL");
